// One mutation put before one command: what the command line says to it, and whether it touches anything.
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCatalogue, type ErrorCode } from '../../src/core/errors.ts';
import { cli } from '../../test/support/cli.ts';
import { commandOf } from '../interop/airgap.ts';
import type { Mutation } from './mutation.ts';
import { foldersOf } from './program.ts';
import { differences, snapshot } from './watched-tree.ts';

/** Below the tree of an attempt. */
const MEDIA = 'media';
const OUTPUT = 'out';
/** The trusted key, not on the media. */
export const KEY = 'airgap.pub';

/** A command that accepts a bundle and serves it is ended after so many milliseconds. */
const PATIENCE = 30_000;

export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Outcome {
  readonly number: number;
  readonly region: Mutation['region'];
  readonly what: string;
  readonly command: string;
  readonly status: number;
  /** Why this is no refusal as it should be; absent for one that is. */
  readonly faults: readonly string[];
}

/** Half of the attempts verify; where opening must fail, the others are the commands that only open. */
function commandFor({ number, refusedAtOpen, open }: Mutation): string[] {
  const media = open.map((path) => join(MEDIA, path));
  const end = ['--key', KEY, '--quiet'];
  const commands: Readonly<Record<number, string[]>> = {
    0: ['inspect', ...media, ...end],
    1: ['load', ...media, '--registry', '127.0.0.1:1', '--dry-run', ...end],
    2: ['serve', ...media, '--listen', '127.0.0.1:0', ...end],
    3: ['export', ...media, 'airgap.lock.yaml', '--out', join(OUTPUT, 'airgap.lock.yaml'), ...end],
  };
  const turn = Math.floor(number / 7) % 8;
  const opens = refusedAtOpen && !(turn === 3 && media.length > 1) ? commands[turn] : undefined;
  return opens ?? ['verify', ...media, ...end];
}

/** Through the command line's own `run()`, in this process. @param tree a folder that holds the key */
export async function attempt(mutation: Mutation, tree: string): Promise<Outcome> {
  return judged(mutation, tree, (argv) => cli(argv, { cwd: tree, signal: AbortSignal.timeout(PATIENCE) }));
}

/** Through the program, in a process of its own. @param program a binary, or a script for this Node */
export async function attemptInProcess(mutation: Mutation, tree: string, program: string): Promise<Outcome> {
  const env = { PATH: process.env['PATH'], ...foldersOf(tree) };
  return judged(mutation, tree, (argv) => {
    const [file, ...first] = commandOf(program);
    return new Promise((resolve) => {
      execFile(file, [...first, ...argv], { cwd: tree, env, timeout: PATIENCE }, (error, stdout, stderr) =>
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
      );
    });
  });
}

async function judged(
  mutation: Mutation,
  tree: string,
  run: (argv: readonly string[]) => Promise<Said>,
): Promise<Outcome> {
  await lay(mutation, tree);
  const before = await snapshot(tree, OUTPUT);
  const argv = commandFor(mutation);
  const said = await run(argv);
  const touched = differences(before, await snapshot(tree, OUTPUT));
  const left = (await readdir(join(tree, OUTPUT))).map((name) => `${OUTPUT}/${name} was left`);
  const { number, region, what } = mutation;
  const faults = [...faultsOf(said), ...touched, ...left];
  return { number, region, what, command: argv[0] ?? '', status: said.status, faults };
}

/** The media as they arrive, and an empty output folder. */
async function lay({ files }: Mutation, tree: string): Promise<void> {
  for (const folder of [MEDIA, OUTPUT]) await rm(join(tree, folder), { recursive: true, force: true });
  for (const folder of [OUTPUT, 'tmp', ...new Set([...files.keys()].map((path) => join(MEDIA, dirname(path))))])
    await mkdir(join(tree, folder), { recursive: true });
  for (const [path, bytes] of files) await writeFile(join(tree, MEDIA, path), bytes);
}

/** A refusal is one error of the catalogue with exit 3 or 4, with its hint, and nothing else. */
export function faultsOf({ status, stdout, stderr }: Said): string[] {
  const faults: string[] = [];
  if (status === 0) faults.push('was accepted');
  else if (status !== 3 && status !== 4) faults.push(`ended with ${status}`);
  if (stdout !== '') faults.push('printed a result');
  const [, code = ''] = /^Error: [^\n]* \[([A-Z_]+)\]\n(?:Hint: [^\n]*\n)?$/.exec(stderr) ?? [];
  const expected = Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode].exit : undefined;
  if (status !== 0 && expected !== status) faults.push(`said ${JSON.stringify(stderr.slice(0, 2000))}`);
  return faults;
}
