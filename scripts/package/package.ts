// One binary from beginning to end. It appears under its name when it is whole.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleProgram, bundleScript, FUNCTION } from '../build/bundle.ts';
import { baseBinary, pinned } from './base.ts';
import { withoutCertificate } from './certificate.ts';
import { codeCache, runsHere } from './code-cache.ts';
import { missingStrip, strip } from './strip.ts';
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
  /** Whether the platforms that can have a code cache get one; made only where their Node runs. */
  readonly codeCache: boolean;
  /** Fail, instead of packaging unstripped or without a code cache that was asked for. */
  readonly strict: boolean;
  readonly signal: AbortSignal;
  /** Called with each binary when it is there. */
  readonly onPackaged: (packaged: Packaged) => void;
  /** Called with a sentence for what this machine lacks. */
  readonly onWarning: (sentence: string) => void;
}

/** Packages the program for each target in turn. @throws Error in one sentence where something it needs is not here */
export async function packageProgram(targets: readonly Target[], options: PackageOptions): Promise<void> {
  for (const target of targets) await requireSameNode(target);
  const unstripped = await targetsNotStripped(targets, options);
  await mkdir(options.out, { recursive: true });
  const work = await mkdtemp(join(options.out, '.package-'));
  try {
    const parts = { start: join(work, 'start.cjs'), program: join(work, 'eck-airgap.cjs') };
    await bundleScript(new URL('start.ts', import.meta.url).pathname, parts.start);
    await bundleProgram(parts.program, FUNCTION);
    for (const target of targets) {
      const stripped = !unstripped.has(target);
      options.onPackaged(await packageOne(target, { ...parts, stripped }, work, options));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Says once which packages are missing. */
async function targetsNotStripped(targets: readonly Target[], options: PackageOptions): Promise<Set<Target>> {
  const missing = new Map<Target, string>();
  for (const target of targets) {
    const debian = await missingStrip(target);
    if (debian !== undefined) missing.set(target, debian);
  }
  if (missing.size > 0) {
    const files = [...missing.keys()].map(({ file }) => file).join(' and ');
    const packages = [...new Set(missing.values())].join(' ');
    lacking(
      `${files} cannot be stripped here and will be some 18 MB larger; "apt-get install ${packages}" brings the tools.`,
      options,
    );
  }
  return new Set(missing.keys());
}

function lacking(sentence: string, { strict, onWarning }: PackageOptions): void {
  if (strict) throw new Error(sentence);
  onWarning(sentence);
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

async function packageOne(
  target: Target,
  { stripped, ...parts }: Parts & { readonly stripped: boolean },
  work: string,
  options: PackageOptions,
): Promise<Packaged> {
  const { out, cache, signal } = options;
  const base = join(work, `base-${target.name}`);
  await copyFile(await baseBinary(target, { cache, work, signal }), base);
  if (target.platform === 'win') await writeFile(base, withoutCertificate(await readFile(base)));
  await chmod(base, 0o755);
  if (stripped) await strip(target, base);
  const whole = join(work, target.file);
  const compiled = (await wantsCodeCache(target, base, options))
    ? await codeCache(target, { base, program: parts.program, work, signal })
    : undefined;
  await inject(target, { ...parts, base, compiled, whole, work, signal });
  await chmod(whole, 0o755);
  const bytes = await readFile(whole);
  await rename(whole, join(out, target.file));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path: join(out, target.file), bytes: bytes.length, sha256 };
}

async function wantsCodeCache(target: Target, base: string, options: PackageOptions): Promise<boolean> {
  if (!options.codeCache || !target.codeCache) return false;
  if (await runsHere(base, options.signal)) return true;
  lacking(`${target.file} gets no code cache and starts slower: its Node does not run on this machine.`, options);
  return false;
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
