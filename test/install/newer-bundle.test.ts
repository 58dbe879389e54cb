// Which bundle may be loaded over which: the rule for each pair, and what a record or receipt that cannot be read means.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { loadRecordFile, readLoadRecord, recordLoad, writeLoadRecord } from '../../src/install/load-record.ts';
import { requireNewer, requireUnexpired, type EarlierLoad } from '../../src/install/newer-bundle.ts';
import type { Receipt } from '../../src/install/receipt.ts';
import { pack } from '../support/pack.ts';
import { rejected, thrown } from '../support/thrown.ts';

const digest = (text: string): Digest => digestOf(Buffer.from(text));
const bundle = (sequence: number, lock: string, own = `bundle ${sequence} ${lock}`) => ({
  digest: digest(own),
  manifest: { ...pack().manifest, sequence, lock: digest(lock) },
});
const earlier = (sequence: number, lock?: string, more: Partial<EarlierLoad> = {}): EarlierLoad => ({
  sequence,
  bundle: digest(`bundle ${sequence} ${lock ?? '?'}`),
  ...(lock === undefined ? {} : { lock: digest(lock) }),
  where: 'a receipt',
  ...more,
});

describe('a bundle is loaded', () => {
  test.each<[string, ReturnType<typeof bundle>, EarlierLoad[]]>([
    ['where nothing was loaded before', bundle(5, 'a'), []],
    ['when it has a higher sequence', bundle(5, 'b'), [earlier(4, 'a')]],
    ['when it is the same one', bundle(5, 'a'), [earlier(5, 'a')]],
    ['when it has the same lock and other installers', bundle(5, 'a', 'other'), [earlier(5, 'a')]],
    ['when it is the same one, whose lock is not known', bundle(5, 'a'), [{ ...earlier(5, 'a'), lock: undefined }]],
    ['over a receipt of before there were sequences', bundle(1, 'a'), [earlier(0)]],
  ])('without a word %s', (_when, one, loads) => {
    const said: unknown[] = [];
    requireNewer(one, loads, { report: (event) => said.push(event) });
    expect(said).toEqual([]);
  });

  test.each<[string, ReturnType<typeof bundle>, EarlierLoad[]]>([
    ['0', bundle(0, 'b'), [earlier(0, 'a')]],
    ['1', bundle(1, 'b'), [earlier(1, 'a')]],
    ['0, and a receipt without a lock', bundle(0, 'b'), [earlier(0)]],
  ])('with a warning when neither was counted: sequence %s', (_which, one, loads) => {
    const said: unknown[] = [];
    requireNewer(one, loads, { report: (event) => said.push(event) });
    expect(said).toEqual([expect.objectContaining({ type: 'warning' })]);
  });
});

describe('a bundle is refused, and --allow-older makes that a warning', () => {
  test.each<[string, ReturnType<typeof bundle>, EarlierLoad[]]>([
    ['of a lower sequence', bundle(4, 'a'), [earlier(5, 'b')]],
    ['of a lower sequence and the same lock', bundle(4, 'a'), [earlier(5, 'a')]],
    ['of the same sequence and another lock', bundle(5, 'a'), [earlier(5, 'b')]],
    ['that one of several places knows to be older', bundle(4, 'a'), [earlier(4, 'a'), earlier(5, 'b')]],
    ['that is older, beside a place that cannot tell', bundle(1, 'a'), [earlier(1, 'b'), earlier(2, 'c')]],
    [
      'that was not counted, and was replaced by another one here',
      bundle(1, 'a'),
      [earlier(1, 'b', { superseded: [digest('a')] })],
    ],
  ])('%s', (_which, one, loads) => {
    const error = thrown(() => requireNewer(one, loads));
    expect([error.code, error.exitStatus]).toEqual(['BUNDLE_OLDER', 3]);
    expect(error.hint).toContain('--allow-older');
    const said: unknown[] = [];
    requireNewer(one, loads, { allowOlder: true, report: (event) => said.push(event) });
    expect(said).toEqual([{ type: 'warning', message: error.message }]);
  });

  test('the way out of two locks with one sequence is a number', () => {
    expect(thrown(() => requireNewer(bundle(5, 'a'), [earlier(5, 'b')])).hint).toContain('build --sequence 6');
  });
});

describe('past its time', () => {
  const manifest = { name: 'site', expires: '2030-12-31T23:59:59Z' };
  const at = (time: string) => ({ now: new Date(time) });

  test('is refused from the next second on', () => {
    requireUnexpired(manifest, at('2030-12-31T23:59:59.000Z'));
    const error = thrown(() => requireUnexpired(manifest, at('2031-01-01T00:00:00Z')));
    expect([error.code, error.exitStatus]).toEqual(['BUNDLE_EXPIRED', 3]);
    requireUnexpired({ name: 'site' }, at('2999-01-01T00:00:00Z'));
  });

  test('is a warning when that is allowed', () => {
    const said: unknown[] = [];
    const options = { ...at('2031-01-01T00:00:00Z'), allowExpired: true };
    requireUnexpired(manifest, { ...options, report: (event) => said.push(event) });
    expect(said).toEqual([expect.objectContaining({ type: 'warning' })]);
  });
});

describe('the record of this machine', () => {
  const receipt = (sequence: number, lock: string): Receipt => ({
    apiVersion: 'eck-airgap/v1',
    kind: 'Receipt',
    bundle: { name: 'site', digest: digest(`bundle ${sequence} ${lock}`), lock: digest(lock), sequence },
    registry: 'registry.example/elastic',
    images: [],
  });
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eck-airgap-record-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const file = () => loadRecordFile(folder, 'registry.example/elastic', 'site');

  test('keeps the highest sequence, and the locks that were loaded of it, the last at the end', async () => {
    const loads = [receipt(2, 'a'), receipt(3, 'b'), receipt(3, 'c'), receipt(3, 'b'), receipt(1, 'd')];
    for (const one of loads) await writeLoadRecord(folder, recordLoad(await readLoadRecord(file()), one));
    expect(await readLoadRecord(file())).toMatchObject({
      sequence: 3,
      bundle: digest('bundle 3 b'),
      locks: [digest('c'), digest('b')],
    });
  });

  test('is one of each registry, path and name', () => {
    const files = ['registry.example/elastic', 'registry.example', 'registry.example/elastic site'].map((registry) =>
      loadRecordFile(folder, registry, 'site'),
    );
    expect(new Set([...files, loadRecordFile(folder, 'registry.example', 'other')]).size).toBe(4);
  });

  test.each(['', 'no JSON', '{}', '{"apiVersion":"eck-airgap/v1","kind":"LoadRecord","sequence":1e99}', '[]', 'null'])(
    'that was damaged is said to be none: %j',
    async (text) => {
      expect(await readLoadRecord(file())).toBeUndefined();
      await writeFile(file(), text);
      expect((await rejected(readLoadRecord(file()))).code).toBe('CONFIG_INVALID');
    },
  );
});
