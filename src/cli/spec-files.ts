// airgap.yaml and the lock beside it, as files; and the cache folder.
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { writeWholeFile } from '../core/files.ts';
import { requireNoneMissing } from '../core/missing.ts';
import { parseSourceDateEpoch } from '../core/source-date.ts';
import { keyTexts, type TrustedKeys } from '../build/image-signatures.ts';
import { makeLock, type MakeLockOptions } from '../build/make-lock.ts';
import { openSources, type Sources } from '../build/sources.ts';
import { encodeLock, LOCK_FILE, parseLock, type Lock } from '../bundle/lock.ts';
import { withSequence } from '../bundle/lock-sequence.ts';
import { parseSpec, specDigest, type BundleSpec } from '../bundle/spec.ts';
import type { CatalogueText } from '../catalog/overrides.ts';
import { openCache, type Cache } from '../oci/cache.ts';
import { parsePublicKey, type PublicKey } from '../signing/public-key.ts';
import type { Command } from 'commander';
import type { CommandContext } from './command.ts';
import { listFlag, numberFlag, pathOf, readText, registryOptions, repeatable, withRegistryFlags } from './flags.ts';
import { cacheFolder } from './folders.ts';

const SPEC_FILE = 'airgap.yaml';

export interface SpecFiles {
  readonly spec: BundleSpec;
  readonly specPath: string;
  /** The folder that relative file paths in the spec start from. */
  readonly folder: string;
  readonly lockPath: string;
  /** The catalogue file that the spec names. */
  readonly catalogueFile: CatalogueText | undefined;
  /** Each key that the spec's `signatures` names. */
  readonly keys: TrustedKeys;
}

export interface Workspace {
  readonly cache: Cache;
  readonly sources: Sources;
}

export function withSpecFlags(command: Command): Command {
  return withRegistryFlags(
    command
      .argument('[airgap.yaml]', 'what to carry; of a folder, the airgap.yaml in it', SPEC_FILE)
      .option(
        '--platform <os/arch>',
        'take this platform instead of those in airgap.yaml; may be given several times',
        repeatable,
      )
      .option('--strict', 'fail where a signature or another referrer of an image cannot be had')
      .option('--allow-unknown-version', 'apply the newest rules to versions that the catalogue does not know')
      .option('--cache <dir>', 'where downloads are kept (default: $XDG_CACHE_HOME/eck-airgap)'),
  );
}

/** @throws FILE_NOT_FOUND, CONFIG_INVALID, KEY_INVALID */
export async function readSpec(context: CommandContext): Promise<SpecFiles> {
  const specPath = await specPathOf(pathOf(context, context.args[0] ?? SPEC_FILE));
  const spec = parseSpec(await readSpecText(context, specPath), specPath, (note) => context.output.warn(note));
  const platforms = listFlag(context, 'platform');
  const folder = dirname(specPath);
  return {
    spec: platforms.length === 0 ? spec : overridePlatforms(spec, platforms, specPath),
    specPath,
    folder,
    lockPath: join(folder, LOCK_FILE),
    catalogueFile: await readCatalogueFile(context, spec, folder),
    keys: await readKeys(context, spec, specPath),
  };
}

/** The file that is named, or the one in the folder that is. */
async function specPathOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true ? join(path, SPEC_FILE) : path;
}

async function readSpecText(context: CommandContext, path: string): Promise<string> {
  try {
    return await readText(context, path);
  } catch (error) {
    if (!isAirgapError(error, 'FILE_NOT_FOUND') || error.hint !== undefined) throw error;
    throw new AirgapError(error.code, error.message, {
      cause: error,
      hint: 'Name the file, or the folder that has one; "eck-airgap init" writes a first airgap.yaml.',
    });
  }
}

async function readCatalogueFile(
  context: CommandContext,
  spec: BundleSpec,
  folder: string,
): Promise<CatalogueText | undefined> {
  const path = spec.elastic?.catalogue;
  if (path === undefined) return undefined;
  const where = resolve(folder, path);
  return { text: await readText(context, where), where };
}

/** By the path as it is written. Errors say under which entry it is. */
async function readKeys(context: CommandContext, spec: BundleSpec, specPath: string): Promise<TrustedKeys> {
  const keys = new Map<string, PublicKey>();
  for (const [prefix, rule] of Object.entries(spec.signatures)) {
    if (rule === 'none' || keys.has(rule.key)) continue;
    const path = resolve(dirname(specPath), rule.key);
    try {
      keys.set(rule.key, parsePublicKey(await readText(context, path, 'KEY_INVALID'), path));
    } catch (error) {
      if (!isAirgapError(error)) throw error;
      throw new AirgapError(error.code, `${specPath}, signatures, ${prefix}: ${error.message}`, {
        cause: error,
        details: error.details,
        hint: 'Name the public key (PEM) of who signs these images. Get it by another way than the images.',
      });
    }
  }
  return keys;
}

function overridePlatforms(spec: BundleSpec, platforms: readonly string[], specPath: string): BundleSpec {
  const changed = { ...spec, platforms: platforms.length === 1 && platforms[0] === 'all' ? 'all' : platforms };
  return parseSpec(JSON.stringify(changed), `${specPath} with --platform`);
}

/** Opens cache and registries for `task`, and closes them whatever happens. */
export async function withWorkspace<T>(
  context: CommandContext,
  spec: BundleSpec,
  task: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const { io, output, hashing } = context;
  const cache = await openCache(cacheFolder(context), { self: io.self, report: output.report, hashing });
  const sources = openSources({ registry: await registryOptions(context), mirrors: spec.mirrors });
  try {
    return await task({ cache, sources });
  } finally {
    await sources.close();
  }
}

/** What a lock is made with. */
export function lockOptions(context: CommandContext, files: SpecFiles, workspace: Workspace): MakeLockOptions {
  const { folder, catalogueFile, keys } = files;
  const allowUnknownVersion = context.flags['allowUnknownVersion'] === true;
  const { signal } = context.io;
  return { ...workspace, folder, catalogueFile, keys, allowUnknownVersion, signal, report: context.output.report };
}

/** Resolves everything, and writes nothing but manifests into the cache. */
export async function newLock(context: CommandContext, files: SpecFiles, workspace: Workspace): Promise<Lock> {
  const numbering = {
    earlier: await earlierLock(context, files),
    sequence: numberFlag(context, 'sequence'),
    sourceDateEpoch: parseSourceDateEpoch(context.io.env['SOURCE_DATE_EPOCH']),
  };
  return withSequence(await makeLock(files.spec, lockOptions(context, files, workspace)), numbering);
}

/** Resolves everything and writes the lock beside the specification. */
export async function writeLock(context: CommandContext, files: SpecFiles, workspace: Workspace): Promise<Lock> {
  const lock = await newLock(context, files, workspace);
  if (context.flags['strict'] === true) requireNoneMissing(context.output.missing, 'no lock was written');
  await writeWholeFile(files.lockPath, encodeLock(lock));
  context.output.report({ type: 'step', step: 'lock:written' });
  return lock;
}

/** The lock that a new one takes the place of; one that cannot be read gives no number to count on from. */
async function earlierLock(context: CommandContext, { lockPath }: SpecFiles): Promise<Lock | undefined> {
  try {
    return await lockAt(context, lockPath);
  } catch (error) {
    if (!isAirgapError(error, 'CONFIG_INVALID')) throw error;
    context.output.warn(`${error.message}; it is replaced, and the sequence of the new one is not counted on from it`);
    return undefined;
  }
}

/** The lock beside the specification; undefined where there is none. @throws LOCK_STALE, CONFIG_INVALID */
export async function readLock(context: CommandContext, files: SpecFiles): Promise<Lock | undefined> {
  const lock = await lockAt(context, files.lockPath);
  if (lock === undefined) return undefined;
  const texts = { catalogue: files.catalogueFile?.text, keys: keyTexts(files.keys) };
  if (lock.spec === specDigest(files.spec, texts)) return lock;
  throw new AirgapError(
    'LOCK_STALE',
    `${files.lockPath} was made for something else than ${files.specPath} (with its platforms) asks for now`,
    {
      hint: `Run "eck-airgap lock ${files.specPath}" (with the same --platform), review the difference, and build again.`,
    },
  );
}

/** @throws CONFIG_INVALID, IO_FAILED */
async function lockAt(context: CommandContext, path: string): Promise<Lock | undefined> {
  let text: string;
  try {
    text = await readText(context, path);
  } catch (error) {
    if (isAirgapError(error, 'FILE_NOT_FOUND')) return undefined;
    throw error;
  }
  return parseLock(text, path);
}
