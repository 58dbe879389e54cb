// One binary from beginning to end. It appears under its name when it is whole.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleProgram, bundleScript, FUNCTION } from '../build/bundle.ts';
import { baseBinary, pinned } from './base.ts';
import { withoutCertificate } from './certificate.ts';
import { codeCache } from './code-cache.ts';
import { requireStrip, strip } from './strip.ts';
import type { Target } from './targets.ts';

const run = promisify(execFile);

export interface Packaged {
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface PackageOptions {
  /** Folder for the binaries; what is not whole yet lies in a folder of its own below it. */
  readonly out: string;
  /** Folder that keeps what was fetched. */
  readonly cache: string;
  readonly signal: AbortSignal;
  /** Called with each binary when it is there. */
  readonly onPackaged: (packaged: Packaged) => void;
}

/** Packages the program for each target in turn. @throws Error in one sentence where something it needs is not here */
export async function packageProgram(targets: readonly Target[], options: PackageOptions): Promise<void> {
  for (const target of targets) {
    await requireStrip(target);
    await requireSameNode(target);
  }
  await mkdir(options.out, { recursive: true });
  const work = await mkdtemp(join(options.out, '.package-'));
  try {
    const parts = { start: join(work, 'start.cjs'), program: join(work, 'eck-airgap.cjs') };
    await bundleScript(new URL('start.ts', import.meta.url).pathname, parts.start);
    await bundleProgram(parts.program, FUNCTION);
    for (const target of targets) options.onPackaged(await packageOne(target, parts, work, options));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What prepares the program must be of the same version as what will read it: Node changes the format at will. */
async function requireSameNode(target: Target): Promise<void> {
  const { version } = await pinned(target);
  if (process.version === `v${version}`) return;
  throw new Error(`${target.name} is packaged by Node ${version}; this is Node ${process.version}: run "npm ci".`);
}

/** Paths of what goes into every binary. */
interface Parts {
  readonly start: string;
  readonly program: string;
}

async function packageOne(target: Target, parts: Parts, work: string, options: PackageOptions): Promise<Packaged> {
  const { out, cache, signal } = options;
  const base = join(work, `base-${target.name}`);
  await copyFile(await baseBinary(target, { cache, work, signal }), base);
  if (target.platform === 'win') await writeFile(base, withoutCertificate(await readFile(base)));
  await chmod(base, 0o755);
  await strip(target, base);
  const whole = join(work, target.file);
  const compiled = await codeCache(target, { base, program: parts.program, work, signal });
  await inject(target, { ...parts, base, compiled, whole, work, signal });
  await chmod(whole, 0o755);
  const bytes = await readFile(whole);
  await rename(whole, join(out, target.file));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path: join(out, target.file), bytes: bytes.length, sha256 };
}

interface InjectOptions extends Parts {
  readonly base: string;
  readonly compiled: string | undefined;
  readonly whole: string;
  readonly work: string;
  readonly signal: AbortSignal;
}

async function inject(target: Target, options: InjectOptions): Promise<void> {
  const { start, program, base, compiled, whole, work, signal } = options;
  const script = new URL('inject.ts', import.meta.url).pathname;
  const args = [
    base,
    whole,
    target.platform,
    target.arch,
    start,
    program,
    ...(compiled === undefined ? [] : [compiled]),
  ];
  await run(process.execPath, [script, ...args], { signal, env: { ...process.env, TMPDIR: work } });
}
