// The program under test, started as a user starts it. ECK_AIRGAP names a packaged one; otherwise it runs from source.
import { join } from 'node:path';
import { run, startDaemon, type Daemon, type Finished, type RunOptions } from './process.ts';

const root = new URL('../../', import.meta.url).pathname;

/** Program and first arguments. */
export function airgapCommand(): readonly [string, ...string[]] {
  const packaged = process.env['ECK_AIRGAP'];
  if (packaged === undefined)
    return [process.execPath, join(root, 'scripts/node24.mjs'), join(root, 'src/cli/main.ts')];
  return commandOf(packaged);
}

/** A script needs the Node that this process runs on; a binary needs nothing. */
export function commandOf(program: string): readonly [string, ...string[]] {
  return /\.[cm]?[jt]s$/.test(program) ? [process.execPath, program] : [program];
}

/** One command in a folder; cache and state live below the folder too. @throws Error when it fails, unless `mayFail` */
export async function airgap(folder: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const [program, ...first] = airgapCommand();
  return run(program, [...first, ...args], {
    ...options,
    cwd: folder,
    bare: true,
    env: { ...privateFolders(folder), ...options.env },
  });
}

export interface Served {
  /** Host and port, as it stands in a reference. */
  readonly host: string;
  readonly daemon: Daemon;
}

/** `serve` in the background on a port of its own choice. */
export async function serve(folder: string, args: readonly string[]): Promise<Served> {
  const [program, ...first] = airgapCommand();
  const listen = ['serve', ...args, '--listen', '127.0.0.1:0'];
  const logFile = join(folder, `serve-${performance.now()}.log`);
  const daemon = startDaemon(program, [...first, ...listen], {
    cwd: folder,
    bare: true,
    env: privateFolders(folder),
    logFile,
  });
  const [, port = ''] = await daemon.printed(/https?:\/\/(?:127\.0\.0\.1|localhost):([0-9]+)/);
  return { host: `${args.includes('--tls-cert') ? 'localhost' : '127.0.0.1'}:${port}`, daemon };
}

/** Where everything is that a user has: with `bare`, nothing of the user who runs the tests is read or written. */
export function privateFolders(folder: string): Record<string, string> {
  const state = { XDG_CACHE_HOME: join(folder, 'cache'), XDG_STATE_HOME: join(folder, 'state') };
  return { HOME: folder, XDG_RUNTIME_DIR: folder, ...state, CI: 'true' };
}
