// What can be wrong upstream of a bundle made by versions: each is one error that says what, where and the way out, with its
// exit status, and nothing is left that looks like a lock or a bundle.
import { readdir, writeFile } from 'node:fs/promises';
import { dump, load as parseYaml } from 'js-yaml';
import { afterEach, describe, expect, test } from 'vitest';
import type { LockCheck } from '../../src/build/check-lock.ts';
import { LOCK_FILE } from '../../src/bundle/lock.ts';
import { digestOf } from '../../src/core/digest.ts';
import { errorCatalogue, type ErrorCode } from '../../src/core/errors.ts';
import type { CliResult } from '../support/cli.ts';
import { packChart } from '../support/chart.ts';
import type { ElasticDownloads } from '../support/elastic-downloads.ts';
import { elasticImages } from '../support/elastic-upstream.ts';
import { answers } from '../support/faults.ts';
import { journey, type Journey } from '../support/journey.ts';
import { generateOpenPgpKey } from '../support/openpgp-key.ts';
import { startServer } from '../support/registry-bench.ts';

const ELASTIC = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false, diagnostics: true };
const ECK = 'https://download.elastic.co/downloads/eck/3.5.0';
const CRDS = `${ECK}/crds.yaml`;
const OPERATOR = `${ECK}/operator.yaml`;
const INDEX = 'https://helm.elastic.co/index.yaml';
const CHART = 'https://helm.elastic.co/helm/eck-operator/eck-operator-3.5.0.tgz';
const CHART_NAME = 'helm.elastic.co/charts/eck-operator:3.5.0';
const KEY = 'https://artifacts.elastic.co/GPG-KEY-elasticsearch';
const RELEASE = 'https://github.com/elastic/eck-diagnostics/releases/download/1.11.0';
const SUMS = `${RELEASE}/checksums.txt`;
const ARCHIVE = 'eck-diagnostics_1.11.0_Linux_x86_64.tar.gz';

let site: Journey;
let web: ElasticDownloads;
afterEach(() => site.end());

/** Upstream as it should be for ELASTIC. */
async function setUp(elastic: object = ELASTIC, more: Record<string, unknown> = {}): Promise<void> {
  site = await journey({ images: elasticImages(ELASTIC) });
  await site.writeSpec({ elastic, images: [], ...more });
  web = await site.downloads();
}

const build = (...more: string[]) =>
  site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--retries', '0', ...more);

/** One error of the code, with these texts, and no stack. */
function expectError({ status, stdout, stderr }: CliResult, code: ErrorCode, texts: readonly string[]): void {
  const lines = stderr.split('\n');
  const errors = lines.filter((line) => line.startsWith('Error: '));
  expect(errors).toEqual([expect.stringContaining(`[${code}]`)]);
  for (const text of texts) expect(stderr).toContain(text);
  expect(lines.filter((line) => /^\s+at /.test(line))).toEqual([]);
  expect([status, stdout]).toEqual([errorCatalogue[code].exit, '']);
}

/** Names in the folder, which need not be there. */
const onMedia = () => readdir(site.path('media')).catch(() => []);

/** Neither a lock nor anything on the media. */
async function expectNothing(): Promise<void> {
  expect((await readdir(site.folder)).sort()).toEqual(
    ['.cache', 'airgap.key', 'airgap.pub', 'airgap.yaml', 'catalogue.yaml'].sort(),
  );
}

describe('what cannot be is refused before anybody is asked', () => {
  test.each<[string, object, ErrorCode, ...string[]]>([
    ['a version of ECK newer than the tables', { eck: '3.9.0' }, 'VERSION_UNKNOWN', 'ECK 3.9.0', '--allow-unknown'],
    ['a version of the Stack newer than the tables', { stack: ['9.9.0'] }, 'VERSION_UNKNOWN', 'Stack 9.9.0'],
    ['a version of ECK older than the tables', { eck: '1.9.0' }, 'VERSION_UNSUPPORTED', 'ECK 1.9.0'],
    [
      'a component that the version lacks',
      { components: ['kibana', 'enterprise-search'] },
      'VERSION_UNSUPPORTED',
      'enterprise-search 9.5.2',
      'before 9.0.0',
    ],
    ['a component that is none', { components: ['kibanna'] }, 'COMPONENT_UNKNOWN', 'kibanna', 'kibana'],
  ])('%s', async (_what, change, code, ...texts) => {
    await setUp({ ...ELASTIC, ...change });
    expectError(await build(), code, texts);
    expect([...site.upstream.requests, ...web.requests]).toEqual([]);
    await expectNothing();
  });

  test('a platform that the only builds of a version are not for', async () => {
    const elastic = { ...ELASTIC, stack: ['8.15.5'], components: ['maps-server'] };
    await setUp(elastic, { platforms: ['linux/arm64'] });
    expectError(await build(), 'PLATFORM_MISSING', ['maps-server 8.15.5', 'linux/amd64', 'linux/arm64']);
    expect([...site.upstream.requests, ...web.requests]).toEqual([]);
    await expectNothing();
  });
});

describe('upstream', () => {
  type Change = () => unknown;
  type Row = [what: string, change: Change, code: ErrorCode, ...texts: string[]];

  const editIndex = (edit: (entries: Record<string, Record<string, unknown>[]>) => void) => (): void => {
    const index = parseYaml(String(web.bytes(INDEX))) as { entries: Record<string, Record<string, unknown>[]> };
    edit(index.entries);
    web.put(INDEX, dump(index));
  };
  const operatorEntry = (change: Record<string, unknown>) =>
    editIndex((entries) => Object.assign(entries['eck-operator']?.[0] ?? {}, change));
  const otherChart = (chart: { name: string; version: string }) => async () => {
    const archive = await packChart({ chart });
    web.put(CHART, archive);
    operatorEntry({ digest: digestOf(archive).slice('sha256:'.length) })();
  };
  const gone = (url: string) => () => web.remove(url);

  const ASKS = { 'www-authenticate': 'Basic realm="downloads"' };

  const rows: Row[] = [
    ['has no crds.yaml', gone(CRDS), 'CONTENT_MISSING', 'eck-3.5.0-crds.yaml (needed by ECK 3.5.0)', CRDS],
    ['has no operator.yaml', gone(OPERATOR), 'CONTENT_MISSING', 'eck-3.5.0-operator.yaml', OPERATOR],
    ['has no index of charts', gone(INDEX), 'CONTENT_MISSING', 'helm.elastic.co/charts/', INDEX],
    ['has no archive of a chart', gone(CHART), 'CONTENT_MISSING', CHART_NAME, CHART],
    [
      'has no such chart in the index',
      editIndex((entries) => delete entries['eck-operator']),
      'CONTENT_MISSING',
      `${CHART_NAME}: ${INDEX} has no chart eck-operator`,
    ],
    [
      'has no such version in the index',
      operatorEntry({ version: '3.4.0' }),
      'CONTENT_MISSING',
      `${INDEX} has no version 3.5.0 of eck-operator`,
      'It has 3.4.0',
    ],
    ['has no checksums', gone(SUMS), 'CONTENT_MISSING', 'checksums.txt (needed by eck-diagnostics 1.11.0)', SUMS],
    ['has no archive of a program', gone(`${RELEASE}/${ARCHIVE}`), 'CONTENT_MISSING', ARCHIVE, RELEASE],
    ['lists no checksum', () => web.put(SUMS, ''), 'CONTENT_MISSING', ARCHIVE, `${SUMS} lists no checksum of it`],
    [
      'has a program of another checksum',
      () => web.put(`${RELEASE}/${ARCHIVE}`, 'another program'),
      'DIGEST_MISMATCH',
      ARCHIVE,
      SUMS,
      digestOf(Buffer.from('another program')),
    ],
    ['has an index that lies about a digest', operatorEntry({ digest: '0'.repeat(64) }), 'DIGEST_MISMATCH', CHART_NAME],
    [
      'has another chart behind the name',
      otherChart({ name: 'other', version: '3.5.0' }),
      'DIGEST_MISMATCH',
      `${INDEX} says that ${CHART} is eck-operator 3.5.0, found other 3.5.0`,
    ],
    [
      'has another version behind the name',
      otherChart({ name: 'eck-operator', version: '3.4.0' }),
      'DIGEST_MISMATCH',
      `${INDEX} says that ${CHART} is eck-operator 3.5.0, found eck-operator 3.4.0`,
    ],
    [
      'has an index that is not YAML',
      () => web.put(INDEX, 'entries: [a\nb: {'),
      'MANIFEST_INVALID',
      `${INDEX} is not YAML: line 2`,
      'Hint: ',
    ],
    [
      'has a page of a proxy in place of the index',
      () => web.put(INDEX, '<html><body>Please log in</body></html>'),
      'MANIFEST_INVALID',
      `${INDEX} is no index of charts`,
      'a page of a proxy',
    ],
    [
      'has a page of a proxy in place of a manifest',
      () => web.put(CRDS, '<html><body>Please log in</body></html>'),
      'MANIFEST_INVALID',
      `eck-3.5.0-crds.yaml (needed by ECK 3.5.0): ${CRDS} is not`,
      'a page of a proxy',
    ],
    [
      'has a manifest that names an image that is not there',
      () => web.put(OPERATOR, String(web.bytes(OPERATOR)).replaceAll('eck-operator:3.5.0', 'eck-operator:lost')),
      'CONTENT_MISSING',
      'docker.elastic.co/eck/eck-operator:lost: ',
      '(named by eck-3.5.0-operator.yaml)',
      '"sources" and "mirrors"',
    ],
    ['wants credentials for a file', () => web.refuse(CRDS, 401, ASKS), 'REGISTRY_UNAUTHORIZED', CRDS, '"auths"'],
    ['denies a file', () => web.refuse(CRDS, 403), 'REGISTRY_DENIED', CRDS, '403'],
    ['limits downloads', () => web.refuse(CHART, 429, { 'retry-after': '7' }), 'REGISTRY_RATE_LIMITED', CHART, 'Wait'],
    ['fails', () => web.refuse(SUMS, 503), 'REGISTRY_ERROR', SUMS, '503'],
  ];
  test.each<Row>(rows)('%s', async (_what, change, code, ...texts) => {
    await setUp();
    await change();
    expectError(await build(), code, texts);
    await expectNothing();
  });

  test('has another key than the one that is pinned', async () => {
    await setUp();
    const pinned = web.signingKey.fingerprint;
    const other = await generateOpenPgpKey();
    web.put(KEY, other.armoured);
    const texts = ['GPG-KEY-elasticsearch (needed by ECK 3.5.0)', pinned, other.fingerprint];
    expectError(await build(), 'SIGNATURE_INVALID', texts);
    await expectNothing();
  });

  test('lacks an image that a file of the user names', async () => {
    await setUp(ELASTIC, { files: [{ path: './pod.yaml' }] });
    const image = 'docker.elastic.co/tools/lost:1';
    const spec = { containers: [{ name: 'one', image }] };
    await writeFile(
      site.path('pod.yaml'),
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'one' }, spec }),
    );
    const result = await build();
    expectError(result, 'CONTENT_MISSING', [`${image}: `, '(named by pod.yaml)', '"ignoreImages"']);
    expect(await readdir(site.folder)).not.toContain(LOCK_FILE);
    await site.writeSpec({ elastic: ELASTIC, images: [], files: [{ path: './pod.yaml', ignoreImages: [image] }] });
    expect((await build()).status).toBe(0);
  });
});

describe('a registry', () => {
  const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';

  test.each<[string, number, ErrorCode, string]>([
    ['that denies', 403, 'REGISTRY_DENIED', 'another account'],
    ['that limits requests', 429, 'REGISTRY_RATE_LIMITED', 'Wait and run the same command again'],
  ])('%s is told with the image', async (_what, status, code, hint) => {
    await setUp();
    const server = await startServer();
    server.misbehave({ path: /\/kibana\//, times: Infinity }, answers(status, { 'retry-after': '7' }));
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': server.origin } });
    expectError(await build(), code, [`${KIBANA}: `, String(status), hint]);
    await expectNothing();
  });

  test('that wants credentials is told with the host', async () => {
    await setUp();
    const server = await startServer({ auth: { kind: 'basic' } });
    await site.writeSpec({ images: [KIBANA], mirrors: { 'docker.elastic.co': server.origin } });
    expectError(await build(), 'REGISTRY_UNAUTHORIZED', [`${server.host} wants credentials`, '--authfile']);
    await expectNothing();
  });
});

test('a lock that was there is left as it was', async () => {
  await setUp();
  expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
  const before = await site.read(LOCK_FILE);
  web.remove(CRDS);
  expectError(await site.run('lock', 'airgap.yaml'), 'CONTENT_MISSING', [CRDS]);
  expect(await site.read(LOCK_FILE)).toEqual(before);
});

describe('between lock and build', () => {
  const lock = async () => expect((await site.run('lock', 'airgap.yaml')).status).toBe(0);
  /** With a cache that `lock` left nothing in. */
  const buildElsewhere = () => build('--cache', 'empty');

  interface Checked extends Pick<LockCheck, 'gone'> {
    readonly differences: Pick<LockCheck, 'files'> & { readonly artifacts: LockCheck['charts'] };
  }

  async function checked(): Promise<Checked> {
    const { status, stdout } = await site.run('lock', 'airgap.yaml', '--check', '--json');
    expect(status).toBe(1);
    return (JSON.parse(stdout) as { error: { details: Checked } }).error.details;
  }

  test('a manifest that changed is not the one that was locked; lock --check shows it', async () => {
    await setUp();
    await lock();
    web.put(OPERATOR, `${String(web.bytes(OPERATOR))}\n# rebuilt\n`);
    const texts = ['eck-3.5.0-operator.yaml: ', OPERATOR, 'not the file that was locked', 'lock --check'];
    expectError(await buildElsewhere(), 'DIGEST_MISMATCH', texts);
    expect(await onMedia()).toEqual([]);
    expect((await checked()).differences.files.changed).toMatchObject([{ name: 'eck-3.5.0-operator.yaml' }]);
    expect((await build()).status, 'from the cache of the lock').toBe(0);
  });

  test('a chart that changed is not the one that was locked; lock --check shows it', async () => {
    await setUp();
    await lock();
    const archive = await packChart({ chart: { name: 'eck-operator', version: '3.5.0', description: 'rebuilt' } });
    web.put(CHART, archive);
    expectError(await buildElsewhere(), 'DIGEST_MISMATCH', [
      CHART_NAME,
      'not the chart that was locked',
      'lock --check',
    ]);
    expect(await onMedia()).toEqual([]);
  });

  test('what is gone is missing; lock --check names all of it', async () => {
    await setUp();
    await lock();
    web.remove(CRDS);
    web.remove(CHART);
    const result = await buildElsewhere();
    expectError(result, 'CONTENT_MISSING', ['was locked and is gone']);
    expect(await onMedia()).toEqual([]);
    expect((await checked()).gone).toMatchObject([
      { name: 'eck-3.5.0-crds.yaml', code: 'CONTENT_MISSING' },
      { name: CHART_NAME, code: 'CONTENT_MISSING' },
    ]);
  });
});
