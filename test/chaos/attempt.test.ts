import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { faultsOf } from '../../scripts/chaos/attempt.ts';
import { differences, snapshot } from '../../scripts/chaos/watched-tree.ts';

describe('a refusal', () => {
  const refused = { status: 3, stdout: '', stderr: 'Error: damaged: x [BUNDLE_CORRUPT]\nHint: Carry it over again.\n' };

  test.each([
    ['with exit 3', refused],
    ['with exit 4', { ...refused, status: 4, stderr: 'Error: volume 2 is missing [VOLUME_MISSING]\n' }],
  ])('%s', (_, said) => {
    expect(faultsOf(said)).toEqual([]);
  });

  test.each([
    ['acceptance', { ...refused, status: 0, stderr: '' }, 'was accepted'],
    ['another exit', { ...refused, status: 2, stderr: 'Error: x [USAGE]\n' }, 'ended with 2'],
    ['a result', { ...refused, stdout: 'site: 1 image\n' }, 'printed a result'],
    ['a stack trace', { ...refused, stderr: `${refused.stderr}    at openBundle (reader.ts:1:1)\n` }, 'said '],
    ['a defect', { ...refused, stderr: 'Error: x is not a function [INTERNAL]\n' }, 'said '],
    ['a code that means another exit', { ...refused, status: 4 }, 'said '],
    ['no error at all', { ...refused, stderr: '' }, 'said '],
  ])('is none with %s', (_, said, fault) => {
    expect(faultsOf(said).join('\n')).toContain(fault);
  });
});

describe('a watched tree', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'eck-airgap-watched-'));
    await mkdir(join(root, 'media'));
    for (const name of ['changed', 'touched', 'removed', 'kept']) await writeFile(join(root, 'media', name), name);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  test('names what was made, changed, touched and removed, but for the output', async () => {
    const before = await snapshot(root, 'out');
    expect(differences(before, await snapshot(root, 'out'))).toEqual([]);
    await writeFile(join(root, 'media', 'changed'), 'CHANGED');
    await utimes(join(root, 'media', 'touched'), 1, 1);
    await rm(join(root, 'media', 'removed'));
    await writeFile(join(root, 'made'), '');
    await mkdir(join(root, 'out'));
    await writeFile(join(root, 'out', 'result'), '');
    expect(differences(before, await snapshot(root, 'out'))).toEqual([
      'made was made',
      'media/changed was changed',
      'media/removed was removed',
      'media/touched was changed',
    ]);
  });
});
