// From the paths that a person names to the medium that a bundle is read from.
import { join } from 'node:path';
import { AirgapError } from '../core/errors.ts';
import { folderMedium, isUnpacked } from './folder-medium.ts';
import { MANIFEST_PATH } from './geometry.ts';
import type { Medium } from './medium.ts';
import { tarMedium } from './tar-medium.ts';
import { openVolumes } from './volume-set.ts';

/** @param paths the tar, its volumes, media folders, or one unpacked folder */
export async function openMedium(paths: readonly string[]): Promise<Medium> {
  const unpacked: string[] = [];
  for (const path of paths) if (await isUnpacked(path)) unpacked.push(path);
  const [folder] = unpacked;
  if (folder === undefined) return tarMedium(await openVolumes(paths));
  if (paths.length === 1) return folderMedium(folder);
  throw new AirgapError('CONFIG_INVALID', `${join(folder, MANIFEST_PATH)} is an unpacked bundle, which is read alone`, {
    hint: 'Name one unpacked folder, or the tar and its volumes.',
  });
}
