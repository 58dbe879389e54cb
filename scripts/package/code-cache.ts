// The code cache: what V8 makes of the program's source, so that a start does not have to. V8 takes it only in the same Node
// for the same processor, whatever its model, and refuses it otherwise. It holds what `verify` runs, which is most of what every
// command begins with.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { smallBundle } from '../../test/support/small-bundle.ts';
import { bundleScript } from '../build/bundle.ts';
import type { Target } from './targets.ts';

const run = promisify(execFile);
const maker = new URL('make-code-cache.ts', import.meta.url).pathname;

export interface CodeCacheOptions {
  /** The platform's Node. */
  readonly base: string;
  /** The bundled program. */
  readonly program: string;
  /** Folder for what it is made with, and for itself. */
  readonly work: string;
  readonly signal: AbortSignal;
}

/** Whether the Node of a platform runs on this machine, which its code cache takes. */
export async function runsHere(node: string, signal: AbortSignal): Promise<boolean> {
  try {
    await run(node, ['--version'], { signal, env: {} });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Returns its path; undefined for a platform that gets none. */
export async function codeCache(
  target: Target,
  { base, program, work, signal }: CodeCacheOptions,
): Promise<string | undefined> {
  if (!target.codeCache) return undefined;
  const script = join(work, 'make-code-cache.cjs');
  const output = join(work, `code-cache-${target.name}`);
  await bundleScript(maker, script);
  const args = ['--predictable', script, program, output, ...(await verifyOfSample(work))];
  await run(base, args, { signal, env: {} });
  return output;
}

/** Arguments that let the program verify a bundle, which is put into the folder beside its key. */
async function verifyOfSample(folder: string): Promise<string[]> {
  const keys = generateKeyPair();
  const [bundle, key] = [join(folder, 'sample.tar'), join(folder, 'sample.pub')];
  await writeFile(bundle, (await smallBundle('sample', keys)).bytes);
  await writeFile(key, keys.publicPem);
  return ['verify', bundle, '--key', key];
}
