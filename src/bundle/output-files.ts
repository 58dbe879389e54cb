// The files a bundle is written to: one tar, or volumes. Bytes are only ever written under a `.partial` name; a file gets
// its final name when the whole bundle is there and synced. What an earlier run left is taken up again.
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../core/errors.ts';
import { syncFolder } from '../core/files.ts';
import { readFully, scratch, writeFully } from '../core/streams.ts';
import { volumeNames } from './volumes.ts';

interface OutputFile {
  readonly name: string;
  /** Where it begins in the bundle. */
  readonly start: number;
  readonly size: number;
  handle: FileHandle;
  /** Whether it has its final name. */
  final: boolean;
}

export interface OutputFiles {
  /** What is there of a range (in `into`, when it is given and large enough); fewer bytes when the files end before it. */
  read(position: number, length: number, into?: Buffer): Promise<Buffer>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  /** Splits a range at the borders of files: which file each part goes to. */
  parts(position: number, length: number): { file: number; length: number }[];
  readonly names: readonly string[];
  readonly sizes: readonly number[];
  /** Cuts to size, syncs, gives the final names. */
  commit(renamed: (name: string) => void): Promise<void>;
  close(): Promise<void>;
}

export interface OutputOptions {
  readonly folder: string;
  readonly fileName: string;
  readonly size: number;
  readonly volumeSize?: number | undefined;
}

/** @throws IO_FAILED, DISK_FULL */
export async function openOutput(options: OutputOptions): Promise<OutputFiles> {
  const { folder, size } = options;
  const names = volumeNames(options.fileName, size, options.volumeSize);
  const volumeSize = options.volumeSize ?? size;
  const files: OutputFile[] = [];
  const path = (file: Pick<OutputFile, 'name' | 'final'>): string =>
    join(folder, file.final ? file.name : `${file.name}.partial`);
  const closing = (): Promise<unknown> => Promise.all(files.map((file) => file.handle.close()));
  try {
    for (const [i, name] of names.entries()) {
      const final = await isThere(join(folder, name));
      const shape = { name, start: i * volumeSize, size: Math.min(volumeSize, size - i * volumeSize), final };
      files.push({ ...shape, handle: await openOrCreate(path(shape)) });
    }
  } catch (error) {
    await closing();
    throw fileError(error, 'open', folder);
  }

  const parts = (position: number, length: number): { file: number; length: number }[] => {
    const found: { file: number; length: number }[] = [];
    for (let at = position; at < position + length;) {
      const file = Math.floor(at / volumeSize);
      const take = Math.min(position + length, (file + 1) * volumeSize) - at;
      found.push({ file, length: take });
      at += take;
    }
    return found;
  };
  const each = async (
    position: number,
    length: number,
    action: (file: OutputFile, at: number, offset: number, length: number) => Promise<void>,
  ): Promise<void> => {
    let offset = 0;
    for (const part of parts(position, length)) {
      const file = files[part.file];
      if (!file) return;
      try {
        await action(file, position + offset - file.start, offset, part.length);
      } catch (error) {
        throw fileError(error, 'write', path(file));
      }
      offset += part.length;
    }
  };
  return {
    names,
    sizes: files.map((file) => file.size),
    parts,
    read: async (position, length, into) => {
      const buffer = scratch(into, length);
      let filled = 0;
      await each(position, length, async (file, at, offset, take) => {
        if (filled === offset)
          filled += (await readFully(file.handle, buffer.subarray(offset, offset + take), at)).byteLength;
      });
      return buffer.subarray(0, filled);
    },
    write: (position, bytes) =>
      each(position, bytes.byteLength, async (file, at, offset, take) => {
        if (file.final) await demote(file, folder);
        await writeFully(file.handle, bytes.subarray(offset, offset + take), at);
      }),
    commit: async (renamed) => {
      for (const file of files) {
        try {
          if ((await file.handle.stat()).size !== file.size) {
            if (file.final) await demote(file, folder);
            await file.handle.truncate(file.size);
          }
          await file.handle.sync();
        } catch (error) {
          throw fileError(error, 'write', path(file));
        }
      }
      // the first volume last: a bundle is opened by it
      for (const file of [...files].reverse()) {
        if (!file.final) await rename(path(file), join(folder, file.name));
        file.final = true;
        renamed(file.name);
      }
      await syncFolder(folder);
      await removeStale(options, names);
    },
    close: async () => {
      await closing();
    },
  };
}

/** A file with its final name is never changed in place: it loses the name first. */
async function demote(file: OutputFile, folder: string): Promise<void> {
  await rename(join(folder, file.name), join(folder, `${file.name}.partial`));
  await syncFolder(folder);
  file.final = false;
}

/** Files of an earlier bundle of this name, in more volumes or unsplit, would be taken for parts of this one. */
async function removeStale(options: OutputOptions, names: readonly string[]): Promise<void> {
  const { folder, fileName } = options;
  const current = new Set(names);
  for (const name of await readdir(folder)) {
    const rest = name.startsWith(fileName) ? name.slice(fileName.length) : undefined;
    if (rest !== undefined && /^(?:\.[0-9]{3,})?(?:\.partial)?$/.test(rest) && !current.has(name))
      await rm(join(folder, name), { force: true });
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch {
    return open(path, 'w+');
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
