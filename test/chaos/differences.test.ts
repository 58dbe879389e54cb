// Two readers of one page: the fuzz has cases of each kind, some of them right, and says where two readers do not agree.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DIFFERENCE_KINDS, differenceCase, differenceSubject } from '../../scripts/chaos/difference-case.ts';
import { generateKeys, judge, lay, tryDifferences, writeKeys } from '../../scripts/chaos/differences.ts';
import { missed } from '../../scripts/bench/report.ts';
import { haveTools } from '../support/tools.ts';

const SEED = 20_261_128;
const COUNT = 160;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-differences-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the same number of a seed is the same case, and each kind has its part', () => {
  const from = { subject: differenceSubject(), keys: generateKeys() };
  const cases = Array.from({ length: 40 }, (_, number) => differenceCase(from, SEED, number));
  expect(new Set(cases.map(({ kind }) => kind))).toEqual(new Set(DIFFERENCE_KINDS));
  for (const { number, kind, what, files } of cases) {
    const again = differenceCase(from, SEED, number);
    expect([again.kind, again.what, [...again.files.keys()]]).toEqual([kind, what, [...files.keys()]]);
  }
});

test('some changes leave a right bundle, and our reader takes it', async () => {
  const keys = generateKeys();
  const trusted = await writeKeys(join(folder, 'keys'), keys);
  const statuses = new Set<number>();
  for (let number = 0; number < 60; number++) {
    const made = differenceCase({ subject: differenceSubject(), keys }, SEED, number);
    await lay(made, join(folder, 'tree'));
    const { status } = await judge(
      join(folder, 'tree', made.open),
      made.trusted.map((name) => trusted[name]),
    );
    statuses.add(status);
  }
  expect(statuses).toContain(0);
  expect(statuses).toContain(3);
});

describe.skipIf(!haveTools('the reader in Python', 'python3', 'openssl'))('both readers', () => {
  test(`agree on ${COUNT} cases of seed ${SEED}`, { timeout: 120_000 }, async () => {
    const said: string[] = [];
    const options = { folder: join(folder, 'both'), seed: SEED, count: COUNT, say: (line: string) => said.push(line) };
    const sections = await tryDifferences(options);
    expect(said).toEqual([]);
    expect(missed(sections)).toEqual([]);
  });
});
