// `build`, killed: what has a final name is whole, and the next run ends with the media folder of a run that nothing disturbed.
import { copyFile, stat } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNK_SIZE } from '../../src/core/chunks.ts';
import { finalFiles, leftovers, otherThan, readText, wrongBlobs, wrongFiles } from './folders.ts';
import type { Job } from './job.ts';
import { runProgram } from './program.ts';
import { LOCK, newFolder, type Site } from './site.ts';
import type { Phases } from './watched.ts';

export const BUILD_ARGV = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--volume-size', '32M'];
const VOLUME = /\.tar\.[0-9]{3}$/;
const FIRST = 'site-alpha.tar.001';

export interface BuildReference {
  readonly folder: string;
  /** sha256 of each file of the media folder. */
  readonly media: ReadonlyMap<string, string>;
  readonly lock: string;
  /** Of bundle.json. */
  readonly digest: string;
}

/** The lock, and a build of it that nothing disturbs. @throws Error when that fails */
export async function referenceBuild(site: Site): Promise<BuildReference> {
  const folder = await newFolder(site, 'reference');
  for (const argv of [['lock', 'airgap.yaml'], BUILD_ARGV]) {
    const { status, stderr } = await runProgram(site.program, folder, argv);
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  }
  const media = await finalFiles(join(folder, 'media'));
  return { folder, media, lock: (await readText(folder, LOCK)) ?? '', digest: await bundleDigest(site, folder) };
}

/** @param options.locked whether the lock is there already */
export async function buildJob(site: Site, reference: BuildReference, options: { locked: boolean }): Promise<Job> {
  return {
    name: 'build',
    argv: BUILD_ARGV,
    phases: await buildPhases(site, reference),
    limit: CHUNK_SIZE,
    stopped: () => site.upstream.hangUp(),
    begin: async () => {
      const folder = await newFolder(site, 'run');
      if (options.locked) await copyFile(join(reference.folder, LOCK), join(folder, LOCK));
      site.upstream.serve(site.published);
      return folder;
    },
    afterKill: async (folder) => [
      ...(await wrongFiles(join(folder, 'media'), reference.media, { all: false })),
      ...(await wrongBlobs(join(folder, '.cache', 'eck-airgap'))),
      ...(await complete(site, folder, reference)),
      ...(await otherThan(reference.lock, folder, LOCK, { orNone: true })),
    ],
    afterResume: async (folder) => [
      ...(await wrongFiles(join(folder, 'media'), reference.media, { all: true })),
      ...((await bundleDigest(site, folder)) === reference.digest ? [] : ['bundle.json has another digest']),
      ...(await otherThan(reference.lock, folder, LOCK)),
      ...(await leftovers(folder)),
    ],
    transferred: () => site.upstream.sent,
  };
}

/** A bundle is opened by its first volume: where that has its name, all must be there. */
async function complete(site: Site, folder: string, reference: BuildReference): Promise<string[]> {
  const first = await stat(join(folder, 'media', FIRST)).catch(() => undefined);
  if (!first) return [];
  const digest = await bundleDigest(site, folder);
  return digest === reference.digest ? [] : [`what looks like a bundle does not verify: ${digest}`];
}

/** Of bundle.json, by `verify`; what it says otherwise where it refuses. */
async function bundleDigest(site: Site, folder: string): Promise<string> {
  const argv = ['verify', 'media', '--key', 'airgap.pub', '--json', '--quiet'];
  const { status, stdout, stderr } = await runProgram(site.program, folder, argv);
  return status === 0 ? (JSON.parse(stdout) as { digest: string }).digest : stderr;
}

/** That all bytes are written is seen by the size of the last volume, which has no final name yet. */
async function buildPhases(site: Site, { folder, media }: BuildReference): Promise<Phases> {
  const last =
    [...media.keys()]
      .filter((name) => VOLUME.test(name))
      .sort()
      .at(-1) ?? '';
  const { size } = await stat(join(folder, 'media', last));
  const growing = join(site.folder, 'run', 'media', `${last}.partial`);
  return {
    names: ['start', 'fetch', 'write', 'finish'],
    printed: { fetch: /^fetching/m, write: /^writing /m },
    watch: (enter) => {
      const timer = setInterval(() => {
        if (statSync(growing, { throwIfNoEntry: false })?.size === size) enter('finish');
      }, 2);
      return () => clearInterval(timer);
    },
  };
}
