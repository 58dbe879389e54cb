// The code cache of the program: that V8 takes it, and that it is the same whoever makes it.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleProgram, FUNCTION } from '../../scripts/build/bundle.ts';
import { compile } from '../../scripts/package/assets.ts';
import { codeCache, runsHere } from '../../scripts/package/code-cache.ts';
import { targets, type Target } from '../../scripts/package/targets.ts';

let work: string;
let program: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'eck-airgap-code-cache-'));
  program = join(work, 'eck-airgap.cjs');
  await bundleProgram(program, FUNCTION);
});

afterAll(async () => {
  await rm(work, { recursive: true });
});

async function made(target: Partial<Target>, base = process.execPath): Promise<string | undefined> {
  const [some] = targets;
  if (some === undefined) throw new Error('there are no targets');
  return codeCache({ ...some, ...target }, { base, program, work, signal: new AbortController().signal });
}

function takenBy(source: Buffer, cache: Buffer): boolean {
  return compile(source, cache).cachedDataRejected === false;
}

test('the program is ASCII, as which it is compiled', async () => {
  expect((await readFile(program)).every((byte) => byte < 128)).toBe(true);
});

describe('codeCache', () => {
  test('is taken by the Node that it was made with, and not for another program', async () => {
    const source = await readFile(program);
    const cache = await readFile((await made({ codeCache: true })) ?? '');
    expect(takenBy(source, cache)).toBe(true);
    expect(takenBy(Buffer.concat([source, Buffer.from('//')]), cache)).toBe(false);
  });

  test('holds what verify runs to its end, and nothing of what other commands run', async () => {
    const cache = await readFile((await made({ codeCache: true })) ?? '');
    expect(cache.includes('every byte is what was signed')).toBe(true);
    expect(cache.includes('carry this to the enclave separately')).toBe(false); // keygen
  });

  test('is the same each time', async () => {
    const first = await readFile((await made({ name: 'one', codeCache: true })) ?? '');
    const second = await readFile((await made({ name: 'two', codeCache: true })) ?? '');
    expect(first.equals(second)).toBe(true);
  });

  test('is not made for a platform that gets none', async () => {
    expect(await made({ codeCache: false })).toBeUndefined();
  });

  test('is made where the Node of the platform runs', async () => {
    const { signal } = new AbortController();
    expect(await runsHere(process.execPath, signal)).toBe(true);
    expect(await runsHere(program, signal)).toBe(false);
    await expect(runsHere(program, AbortSignal.abort(new Error('interrupted')))).rejects.toThrow('interrupted');
  });
});
