// A store on disk: blobs once for all repositories, and in each repository only links to them. Everything gets its final
// name by a rename, so a crash leaves no half a blob; open uploads survive a restart. A folder belongs to one process at a
// time. Content that no repository links any more stays where it is. What lies where: disk-layout.ts.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../../core/errors.ts';
import { isRepository } from '../../oci/reference.ts';
import { fileWriter, isThere, makeFolder } from './disk-files.ts';
import { diskLayout } from './disk-layout.ts';
import { diskRepository, type Disk } from './disk-repository.ts';
import { DiskUploads } from './disk-uploads.ts';
import type { RegistryStore } from './store.ts';

/** @throws IO_FAILED when the folder cannot be made */
export async function diskStore(folder: string): Promise<Required<RegistryStore>> {
  const layout = diskLayout(folder);
  await rm(layout.incoming, { recursive: true, force: true }).catch((error: unknown) => {
    throw fileError(error, 'empty', layout.incoming);
  });
  for (const part of [layout.blobs, layout.incoming, layout.repositories]) await makeFolder(part);
  const disk: Disk = { layout, uploads: new DiskUploads(), write: fileWriter(layout.incoming) };
  return {
    repositories: async () => (await namesBelow(layout.repositories, '')).sort(),
    repository: async (name) =>
      isRepository(name) && (await isThere(layout.repository(name).manifests)) ? diskRepository(disk, name) : undefined,
    writable: async (name) => diskRepository(disk, name),
  };
}

async function namesBelow(root: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    if (entry.name === '_manifests') names.push(prefix);
    else if (entry.isDirectory() && !entry.name.startsWith('_'))
      names.push(...(await namesBelow(root, prefix === '' ? entry.name : `${prefix}/${entry.name}`)));
  }
  return names;
}
