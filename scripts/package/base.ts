// The plain Node of a platform: out of node_modules where npm installed it, otherwise fetched by npm into the project's
// cache. npm installs only the package that fits the machine. What is fetched must match package-lock.json.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import type { Target } from './targets.ts';

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url).pathname;

export interface Pinned {
  readonly version: string;
  /** As npm writes it: sha512, a hyphen, base64. */
  readonly integrity: string;
}

export async function pinned({ base }: Target): Promise<Pinned> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Pinned | undefined>;
  };
  const entry = lock.packages[`node_modules/${base}`];
  if (entry === undefined) throw new Error(`package-lock.json does not pin ${base}.`);
  return entry;
}

export interface BaseOptions {
  /** Where archives are kept that were fetched whole. */
  readonly cache: string;
  /** For what is not whole yet, and what is unpacked. */
  readonly work: string;
  readonly signal: AbortSignal;
}

/** Path of the platform's Node, as npm has it. @throws Error where what npm answers is not what is pinned */
export async function baseBinary(target: Target, options: BaseOptions): Promise<string> {
  const pin = await pinned(target);
  const installed = installedBinary(target, pin);
  if (installed !== undefined) return installed;
  const archive = await archiveOf(target, pin, options);
  const folder = join(options.work, target.base);
  await mkdir(folder);
  await extract({ file: archive, cwd: folder, strip: 1, filter: (path) => path === `package/${target.executable}` });
  return join(folder, target.executable);
}

function installedBinary({ base, executable }: Target, pin: Pinned): string | undefined {
  try {
    const { version } = require(`${base}/package.json`) as { version: string };
    return version === pin.version ? require.resolve(`${base}/${executable}`) : undefined;
  } catch {
    return undefined;
  }
}

async function archiveOf({ base }: Target, pin: Pinned, { cache, work, signal }: BaseOptions): Promise<string> {
  const file = `${base}-${pin.version}.tgz`;
  const kept = join(cache, file);
  if ((await integrityOf(kept)) === pin.integrity) return kept;
  const fetched = join(work, file);
  await run('npm', ['pack', '--silent', '--pack-destination', work, `${base}@${pin.version}`], { cwd: root, signal });
  const integrity = await integrityOf(fetched);
  if (integrity !== pin.integrity)
    throw new Error(
      `${file} is not what package-lock.json pins: expected ${pin.integrity}, found ${String(integrity)}.`,
    );
  await mkdir(cache, { recursive: true });
  await rename(fetched, kept);
  return kept;
}

/** undefined where there is no such file. */
async function integrityOf(path: string): Promise<string | undefined> {
  try {
    return `sha512-${createHash('sha512')
      .update(await readFile(path))
      .digest('base64')}`;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
