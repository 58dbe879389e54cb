// The installers that travel on the media: which files they are, and the copy of each. Their digests stand in bundle.json, and
// with the signature over SHA256SUMS they can be checked by the enclave's own tools before they run.
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Digester, digestOfStream } from '../core/digest.ts';
import { AirgapError, fileError } from '../core/errors.ts';
import type { Activity } from '../core/events.ts';
import { syncFolder } from '../core/files.ts';
import type { Hashing } from '../core/hashing.ts';
import { INSTALLER_PLATFORMS, installerName, type InstallerPlatform, type PackagedProgram } from '../core/program.ts';
import { borrowFileRange } from '../core/named-file.ts';
import { openWritten, refuseOtherThanFile } from '../core/output-file.ts';
import { borrowRange, writeFully } from '../core/streams.ts';
import type { BundleInstaller } from '../bundle/manifest.ts';

export interface InstallerChoice {
  /** Wanted platforms; none for what lies in `folder`, or else for the program itself. */
  readonly platforms: readonly InstallerPlatform[];
  /** Where packaged programs lie; that of the running one by default. */
  readonly folder?: string | undefined;
  readonly program?: PackagedProgram | undefined;
}

export interface InstallerFile extends Pick<BundleInstaller, 'name'> {
  readonly path: string;
}

export interface Installer extends BundleInstaller, InstallerFile {}

export interface IdentifyOptions extends Activity {
  readonly hashing?: Hashing | undefined;
}

export interface PlaceOptions extends IdentifyOptions {
  /** What an earlier build says it wrote: name to sum. */
  readonly listed: ReadonlyMap<string, string>;
  /** Whether the user said that an earlier build may go. */
  readonly replace: boolean;
}

/** In the order of their names; empty when nothing is asked for and the program is not one file. @throws BUNDLE_INCOMPLETE */
export async function findInstallers(choice: InstallerChoice): Promise<InstallerFile[]> {
  const { program, folder } = choice;
  const platforms = await wanted(choice);
  const installers: InstallerFile[] = [];
  for (const platform of [...new Set(platforms)].sort()) {
    const itself = folder === undefined && program?.platform === platform ? program.path : undefined;
    const place = folder ?? (program && dirname(program.path));
    const path = itself ?? (place === undefined ? undefined : join(place, installerName(platform)));
    if (path === undefined || !(await isFile(path))) throw absent(platform, path);
    installers.push({ name: installerName(platform), path });
  }
  return installers;
}

/** Reads each to its end. @throws FILE_NOT_FOUND, IO_FAILED */
export async function identifyInstallers(
  files: readonly InstallerFile[],
  options: IdentifyOptions = {},
): Promise<Installer[]> {
  const installers: Installer[] = [];
  for (const file of files) installers.push({ ...file, ...(await identify(file.path, options)) });
  return installers;
}

async function wanted({ platforms, folder, program }: InstallerChoice): Promise<readonly InstallerPlatform[]> {
  if (platforms.length > 0) return platforms;
  if (folder === undefined) return program ? [program.platform] : [];
  const there: InstallerPlatform[] = [];
  for (const platform of INSTALLER_PLATFORMS)
    if (await isFile(join(folder, installerName(platform)))) there.push(platform);
  if (there.length > 0) return there;
  throw new AirgapError('BUNDLE_INCOMPLETE', `no installer in ${folder}`, {
    hint: `Installers are named ${INSTALLER_PLATFORMS.map(installerName).join(', ')}; "npm run package" makes them.`,
  });
}

/**
 * Puts an installer on the media, under its name only when it is whole and what was identified; one that is there and right
 * stays. @throws FILE_EXISTS, PATH_INVALID, DIGEST_MISMATCH (the file changed meanwhile), DISK_FULL, IO_FAILED
 */
export async function placeInstaller(installer: Installer, media: string, options: PlaceOptions): Promise<void> {
  const path = join(media, installer.name);
  const temporary = `${path}.tmp`;
  if (await isPlaced(installer, path, options)) return;
  try {
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o755);
    try {
      await copyChecked(installer, file, options.signal);
      await file.chmod(0o755); // whatever the umask
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(media);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError(error, 'write', path);
  }
}

/** @throws PATH_INVALID for a link: a file is carried, not a name for one that stays here */
async function isPlaced({ digest, name }: Installer, path: string, options: PlaceOptions): Promise<boolean> {
  if (!(await refuseOtherThanFile(path))) return false;
  const file = await openWritten(path);
  try {
    const found = await digestOfStream(borrowRange(file, { signal: options.signal }), options.hashing);
    if (found.digest === digest) return true;
  } finally {
    await file.close();
  }
  if (options.replace || options.listed.has(name)) return false;
  throw new AirgapError('FILE_EXISTS', `${path} was not written by a build, and is not replaced`, {
    hint: 'Name a folder of its own with --out, or move that file away.',
    details: { file: path },
  });
}

async function copyChecked(installer: Installer, to: FileHandle, signal?: AbortSignal): Promise<void> {
  const digester = new Digester();
  for await (const { bytes } of borrowFileRange(installer.path, { signal })) {
    await writeFully(to, bytes, digester.size);
    digester.update(bytes);
  }
  const digest = digester.digest();
  if (digest !== installer.digest)
    throw new AirgapError('DIGEST_MISMATCH', `${installer.path} changed while it was copied`, {
      hint: 'Run the same command again when nothing writes to it.',
      details: { expected: installer.digest, found: digest },
    });
}

async function identify(
  path: string,
  { hashing, signal }: IdentifyOptions,
): Promise<Pick<Installer, 'digest' | 'size'>> {
  return digestOfStream(borrowFileRange(path, { signal }), hashing);
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

function absent(platform: InstallerPlatform, path = `no ${installerName(platform)} beside this program`): AirgapError {
  return new AirgapError('BUNDLE_INCOMPLETE', `the installer for ${platform} is missing: ${path}`, {
    hint: 'Name the folder that holds it with --installers DIR; "npm run package" makes one for each platform.',
    details: { platform },
  });
}
