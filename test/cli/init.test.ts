// init: from flags alone, and from questions that a person at a terminal answers.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { completed, specOf, wantedByAnswers, type GivenAnswers } from '../../src/build/starter.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { eckReleasesByAge } from '../../src/catalog/compatibility.ts';
import { cli } from '../support/cli.ts';
import { journey } from '../support/journey.ts';
import { randomIndex } from '../support/random-image.ts';
import { dialogue, KEYS, type Reply } from '../support/terminal.ts';

const SCHEMA = await readFile(new URL('../../docs/schema/airgap.schema.json', import.meta.url), 'utf8');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-init-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const init = (...flags: string[]) => cli(['init', ...flags], { cwd: folder });
const written = async (name = 'airgap.yaml') => parseSpec(await readFile(join(folder, name), 'utf8'), name);
const meant = (given: GivenAnswers) => parseSpec(JSON.stringify(specOf(completed(given))), 'meant');

describe('init --yes', () => {
  test('writes what goes by default, and its schema beside it', async () => {
    const result = await init('--yes', '--name', 'site-alpha');
    expect([result.status, result.stderr]).toEqual([0, '']);
    expect(await written()).toEqual(meant({ name: 'site-alpha' }));
    expect(await readFile(join(folder, 'airgap.schema.json'), 'utf8')).toBe(SCHEMA);
    expect((await readdir(folder)).sort()).toEqual(['airgap.schema.json', 'airgap.yaml']);
  });

  test('names what will be carried, and the next command', async () => {
    const { images } = wantedByAnswers(completed({}));
    const { stdout } = await init('--yes');
    for (const { name } of images) expect(stdout).toContain(name);
    expect(stdout).toContain(`${images.length} images`);
    expect(stdout).toContain('eck-airgap lock airgap.yaml');
  });

  test('calls the bundle as the folder', async () => {
    await init('--yes', 'Site Bravo/airgap.yaml');
    expect((await written('Site Bravo/airgap.yaml')).metadata.name).toBe('site-bravo');
  });

  test('takes every answer from its flag', async () => {
    const flags = [
      ...['--name', 'b', '--eck', '3.4.1', '--stack', '8.19.20', '--stack', '9.4.5', '--component', 'kibana'],
      ...['--component', 'package-registry', '--platform', 'linux/arm64', '--flavour', 'wolfi'],
      ...['--package-registry', 'full', '--no-monitoring', '--diagnostics'],
    ];
    expect((await init('--yes', ...flags)).status).toBe(0);
    expect(await written()).toEqual(
      meant({
        ...{ name: 'b', eck: '3.4.1', stack: ['8.19.20', '9.4.5'], components: ['kibana', 'package-registry'] },
        ...{
          platforms: ['linux/arm64'],
          flavour: 'wolfi',
          packageRegistry: 'full',
          monitoring: false,
          diagnostics: true,
        },
      }),
    );
  });

  test('--json is one document', async () => {
    const result = await init('--yes', '--json', '--component', 'elastic-agent');
    const document = JSON.parse(result.stdout) as Record<string, unknown>;
    const { images, notes } = wantedByAnswers(completed({ components: ['elastic-agent'] }));
    expect(document).toMatchObject({
      spec: join(folder, 'airgap.yaml'),
      images,
      notes,
      next: 'eck-airgap lock airgap.yaml',
    });
    expect(notes).toHaveLength(1);
    expect(result.stderr).toContain(notes[0]);
  });

  test('lets unknown versions through with the flag alone, and says it to lock too', async () => {
    expect((await init('--yes', '--stack', '9.99.0')).stderr).toContain('[VERSION_UNKNOWN]');
    const { stdout } = await init('--yes', '--stack', '9.99.0', '--allow-unknown-version');
    expect(stdout).toContain('lock airgap.yaml --allow-unknown-version');
  });
});

describe('init refuses, and writes nothing:', () => {
  test.each([
    [
      'versions that do not go together',
      ['--stack', '9.5.2', '--eck', '2.16.1'],
      'VERSION_UNSUPPORTED',
      'takes ECK from 3.0.0',
    ],
    ['a component that is none', ['--component', 'kibanna'], 'COMPONENT_UNKNOWN', 'kibana'],
    ['a component without a version', ['--component', 'eland'], 'VERSION_INVALID', 'name the one to carry'],
    ['a version that is none', ['--stack', '9.5'], 'CONFIG_INVALID', 'elastic.stack[0]'],
    ['a name that is none', ['--name', '../x'], 'CONFIG_INVALID', 'metadata.name'],
    ['a platform that is none', ['--platform', 'amd64'], 'CONFIG_INVALID', 'platforms[0]'],
    ['a platform that nothing is for', ['--platform', 'linux/s390x'], 'PLATFORM_MISSING', 'linux/amd64'],
    ['a flavour that is none', ['--flavour', 'alpine'], 'USAGE', 'ubi-fips'],
    ['packages that are none', ['--package-registry', 'all'], 'USAGE', 'lite'],
  ])('%s', async (_case, flags, code, way) => {
    const result = await init('--yes', '--json', ...flags);
    expect(result.status).toBeGreaterThan(1);
    expect((JSON.parse(result.stdout) as { error: { code: string } }).error.code).toBe(code);
    expect(result.stderr).toContain(way);
    expect(await readdir(folder)).toEqual([]);
  });

  test('to ask where there is no terminal', async () => {
    const result = await init('--eck', '3.5.0');
    expect([result.status, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain('[USAGE]');
    for (const flag of ['--yes', '--stack', '--component', '--flavour']) expect(result.stderr).toContain(flag);
    expect(await readdir(folder)).toEqual([]);
  });

  test('to overwrite what is there', async () => {
    await writeFile(join(folder, 'airgap.yaml'), 'mine');
    const result = await init('--yes');
    expect(result.status).toBe(2);
    expect(result.stderr).toContain('[FILE_EXISTS]');
    expect(await readFile(join(folder, 'airgap.yaml'), 'utf8')).toBe('mine');
    expect(await readdir(folder)).toEqual(['airgap.yaml']);
  });
});

describe('at a terminal, init', () => {
  const { enter, space, down, interrupt, clearLine } = KEYS;
  const ask = (replies: readonly Reply[], ...flags: string[]) => dialogue(['init', ...flags], folder, replies);
  const DEFAULTS: readonly Reply[] = [
    ['Name of the bundle:', enter],
    ['Version of the ECK operator:', enter],
    ['Versions of the Stack:', enter],
    ['Components:', enter],
    ['Platforms of the nodes', enter],
    ['Which build', enter],
    ['Metricbeat and Filebeat', enter],
    ['eck-diagnostics', enter],
  ];

  test('asks for everything, and takes the same defaults', async () => {
    const said = await ask(DEFAULTS);
    expect([said.status, said.unasked]).toEqual([0, []]);
    expect({ ...(await written()), metadata: undefined }).toEqual({ ...meant({}), metadata: undefined });
    expect(said.stdout).toContain('5 images');
    expect(said.stdout).not.toContain('Name of the bundle');
    for (const { eck, kubernetes } of eckReleasesByAge(builtInCatalogue))
      expect(said.screen).toContain(`${eck.from.padEnd(6)}  ${kubernetes.from} to ${kubernetes.to}`);
  });

  test('takes what is typed and chosen', async () => {
    const said = await ask([
      ['Name of the bundle:', `site-x${enter}`],
      ['Version of the ECK operator:', `3.3.0${enter}`],
      ['Versions of the Stack:', `9.3.8, 8.19.20${enter}`],
      ['Components:', `${space}${down}${down}${space}${enter}`],
      ['Platforms of the nodes', `${down}${space}${enter}`],
      ['Which build', `${down}${down}${enter}`],
      ['Metricbeat and Filebeat', `n${enter}`],
      ['eck-diagnostics', `y${enter}`],
    ]);
    expect([said.status, said.unasked]).toEqual([0, []]);
    expect(await written()).toEqual(
      meant({
        ...{ name: 'site-x', eck: '3.3.0', stack: ['9.3.8', '8.19.20'], components: ['kibana', 'apm-server'] },
        ...{ platforms: ['linux/amd64', 'linux/arm64'], flavour: 'wolfi', monitoring: false, diagnostics: true },
      }),
    );
  });

  test('asks which packages, where there is a package registry', async () => {
    const said = await ask(
      [['Packages of integrations:', `${down}${enter}`]],
      ...['--name', 'x', '--eck', '3.5.0', '--stack', '9.5.2', '--component', 'package-registry'],
      ...['--platform', 'all', '--flavour', 'default', '--monitoring', '--no-diagnostics'],
    );
    expect([said.status, said.unasked]).toEqual([0, []]);
    expect((await written()).elastic?.packageRegistry).toBe('full');
  });

  test('does not ask for what a flag gives', async () => {
    const said = await ask(
      [['eck-diagnostics', enter]],
      ...['--name', 'x', '--eck', '3.5.0', '--stack', '9.5.2', '--component', 'kibana'],
      ...['--platform', 'all', '--flavour', 'ubi', '--no-monitoring'],
    );
    expect([said.status, said.screen.match(/^\?/gm)?.length]).toEqual([0, 1]);
  });

  test('says at once what will not do, and takes another answer', async () => {
    const said = await ask([
      ['Name of the bundle:', `Site X${enter}`],
      ['a name is 1 to 63', `${clearLine}site-x${enter}`],
      ['Version of the ECK operator:', `2.16.1${enter}`],
      ['Versions of the Stack: (8.', `9.5.2${enter}`],
      ['does not support', `${clearLine}8.19.20${enter}`],
      ...DEFAULTS.slice(3),
    ]);
    expect([said.status, said.unasked]).toEqual([0, []]);
    expect(await written()).toEqual(meant({ name: 'site-x', eck: '2.16.1', stack: ['8.19.20'] }));
  });

  test('refuses flags that no answer can put right before it asks', async () => {
    const said = await ask([], '--eck', '2.16.1', '--stack', '9.5.2');
    expect(said.status).toBe(2);
    expect(said.screen).toContain('[VERSION_UNSUPPORTED]');
    expect(said.screen).not.toContain('Name of the bundle');
  });

  test.each(DEFAULTS.map(([question], i) => [question, i] as const))(
    'Ctrl-C at "%s" writes nothing',
    async (_question, i) => {
      const said = await ask([...DEFAULTS.slice(0, i), [DEFAULTS[i]?.[0] ?? '', interrupt]]);
      expect([said.status, said.unasked, said.stdout]).toEqual([130, [], '']);
      expect(said.screen).toContain('[INTERRUPTED]');
      expect(await readdir(folder)).toEqual([]);
    },
  );
});

test('what init writes is what lock takes', async () => {
  const names = ['eck/eck-operator:3.5.0', 'kibana/kibana:9.5.2'].map((name) => `docker.elastic.co/${name}`);
  const site = await journey({ images: Object.fromEntries(names.map((name) => [name, randomIndex(name)])) });
  try {
    const result = await site.run('init', '--yes', 'new/airgap.yaml', '--component', 'kibana', '--no-monitoring');
    expect(result.status).toBe(0);
    const spec = load((await site.read('new/airgap.yaml')).toString()) as { elastic: object };
    const sites = await site.downloads();
    await writeFile(site.path('new/catalogue.yaml'), sites.catalogue);
    const mirrors = { 'docker.elastic.co': `http://${site.upstream.host}`, ...sites.mirrors };
    const elastic = { ...spec.elastic, catalogue: 'catalogue.yaml' };
    await writeFile(site.path('new/airgap.yaml'), JSON.stringify({ ...spec, elastic, mirrors }));
    const locked = await site.run('lock', 'new/airgap.yaml', '--json');
    expect(locked.status).toBe(0);
    const { images } = JSON.parse(locked.stdout) as { images: { name: string; artifact?: true }[] };
    expect(images.filter(({ artifact }) => artifact === undefined).map(({ name }) => name)).toEqual(names);
  } finally {
    await site.end();
  }
});
