// From the paths that a person names to the medium that a bundle is read from.
import { basename, join } from 'node:path';
import { AirgapError } from '../core/errors.ts';
import { folderMedium, isUnpacked } from './folder-medium.ts';
import { MANIFEST_PATH } from './geometry.ts';
import type { Medium } from './medium.ts';
import { tarMedium } from './tar-medium.ts';
import { bundleFilesIn } from './volume-search.ts';
import { openVolumes } from './volume-set.ts';

/** @param paths the tar, its volumes, media folders, or one unpacked folder */
export async function openMedium(paths: readonly string[]): Promise<Medium> {
  const unpacked: string[] = [];
  for (const path of paths) if (await isUnpacked(path)) unpacked.push(path);
  const [folder] = unpacked;
  if (folder === undefined) return tarMedium(await openVolumes(paths));
  if (paths.length === 1) {
    await requireNoTar(folder);
    return folderMedium(folder);
  }
  throw new AirgapError('CONFIG_INVALID', `${join(folder, MANIFEST_PATH)} is an unpacked bundle, which is read alone`, {
    hint: 'Name one unpacked folder, or the tar and its volumes.',
  });
}

/** Somebody may have checked the tar, and read the folder: what is unpacked beside it can be another bundle. */
async function requireNoTar(folder: string): Promise<void> {
  const [first, ...more] = await bundleFilesIn(folder);
  if (first === undefined) return;
  throw new AirgapError(
    'CONFIG_INVALID',
    `${folder} holds an unpacked bundle (${MANIFEST_PATH}) and ${basename(first)} beside it: it is not clear which one is meant`,
    {
      hint: `Name ${first}; or move one of them to a folder of its own.`,
      details: { found: [join(folder, MANIFEST_PATH), first, ...more] },
    },
  );
}
