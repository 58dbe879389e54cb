// init as a person meets it: the program as it ships, in a terminal, answered by keys.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, vi } from 'vitest';
import { airgap } from '../../scripts/interop/airgap.ts';
import { packagedBinary } from '../../scripts/interop/packaged.ts';
import { openTerminal, type Terminal } from '../../scripts/interop/terminal.ts';
import type { Tool } from '../../scripts/interop/tools.ts';
import { completed, specOf, type GivenAnswers } from '../../src/build/starter.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { journey } from './stage/journey.ts';
import { scratchFolder } from './stage/site.ts';
import type { Stage } from './stage/setup.ts';

const TMUX: readonly Tool[] = ['tmux'];
const PACKAGED: readonly Tool[] = ['strip', 'aarch64-linux-gnu-strip'];
const SCHEMA = new URL('../../docs/schema/airgap.schema.json', import.meta.url);

interface Started {
  readonly folder: string;
  readonly terminal: Terminal;
}

async function started(stage: Stage, ...flags: readonly string[]): Promise<Started> {
  const folder = await scratchFolder(stage, 'init-');
  const terminal = await openTerminal(folder, ['init', 'site/airgap.yaml', ...flags]);
  onTestFinished(() => terminal.close());
  return { folder: join(folder, 'site'), terminal };
}

const meant = (given: GivenAnswers) => parseSpec(JSON.stringify(specOf(completed(given))), 'meant');
const written = async (folder: string) => parseSpec(await readFile(join(folder, 'airgap.yaml'), 'utf8'), 'airgap.yaml');

describe('10 init, in a terminal', () => {
  journey('what the keys choose is in airgap.yaml, and its schema beside it', { needs: TMUX }, async (stage) => {
    const { folder, terminal } = await started(stage);
    const answer = async (question: string, ...keys: string[]): Promise<void> => {
      await terminal.shows(`? ${question}`);
      await terminal.type(...keys);
    };
    await answer('Name of the bundle: (site)', 'Site Alpha', 'Enter');
    await terminal.shows('a name is 1 to 63');
    await terminal.type('C-u', 'site-alpha', 'Enter');
    expect(await terminal.shows('? Version of the ECK operator:')).toContain('OpenShift');
    await terminal.type('Enter');
    await answer('Versions of the Stack:', '8.19.20, 9.5.2', 'Enter');
    await answer('Components:', 'Down', 'Down', 'Down', 'Space', 'Enter');
    await answer('Platforms of the nodes inside:', 'Down', 'Space', 'Enter');
    await answer('Which build of the images:', 'Enter');
    await answer('Carry Metricbeat and Filebeat', 'n', 'Enter');
    await answer('Carry the images that eck-diagnostics runs?', 'y', 'Enter');
    expect(await terminal.ended()).toBe(0);
    expect(await terminal.shows('next: eck-airgap lock site/airgap.yaml')).toContain('Fleet needs packages');
    expect(await written(folder)).toEqual(
      meant({
        ...{
          name: 'site-alpha',
          stack: ['8.19.20', '9.5.2'],
          components: ['elasticsearch', 'kibana', 'elastic-agent'],
        },
        ...{ platforms: ['linux/amd64', 'linux/arm64'], monitoring: false, diagnostics: true },
      }),
    );
    expect(await readFile(join(folder, 'airgap.schema.json'), 'utf8')).toBe(await readFile(SCHEMA, 'utf8'));
  });

  for (const [key, name] of [
    ['C-c', 'Ctrl-C'],
    ['C-d', 'Ctrl-D'],
  ] as const) {
    journey(`${name} at a question ends it, and nothing is written`, { needs: TMUX }, async (stage) => {
      const { folder, terminal } = await started(stage, '--name', 'x', '--eck', '3.5.0', '--stack', '9.5.2');
      await terminal.shows('? Components:');
      await terminal.type(key);
      expect(await terminal.ended()).toBe(130);
      await terminal.shows('[INTERRUPTED]');
      await expect(readdir(folder)).rejects.toThrow('ENOENT');
    });
  }
});

describe('10 init, packaged', () => {
  journey('writes the same as from source', { needs: PACKAGED }, async (stage) => {
    const folder = await scratchFolder(stage, 'init-');
    await airgap(folder, ['init', 'site/airgap.yaml', '--yes']);
    vi.stubEnv('ECK_AIRGAP', packagedBinary('linux-x64'));
    onTestFinished(() => void vi.unstubAllEnvs());
    await airgap(folder, ['init', 'packaged/airgap.yaml', '--yes', '--name', 'site']);
    for (const name of ['airgap.yaml', 'airgap.schema.json'])
      expect(await readFile(join(folder, 'packaged', name), 'utf8')).toBe(
        await readFile(join(folder, 'site', name), 'utf8'),
      );
    expect(await readFile(join(folder, 'packaged', 'airgap.schema.json'), 'utf8')).toBe(await readFile(SCHEMA, 'utf8'));
  });
});
