// The files a bundle is written to: one tar, or volumes. Bytes are only ever written under a `.partial` name; a file gets
// its final name when the whole bundle is there and synced. What an earlier run left is taken up again.
import { readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../core/errors.ts';
import { syncFolder } from '../core/files.ts';
import { OpenFiles } from '../core/open-files.ts';
import { nameAt, openOutput as openFile, refuseOtherThanFile } from '../core/output-file.ts';
import { readFully, scratch, writeFully } from '../core/streams.ts';
import { Writeback } from '../core/writeback.ts';
import { volumeNames } from './volumes.ts';

interface OutputFile {
  readonly name: string;
  /** Where it begins in the bundle. */
  readonly start: number;
  readonly size: number;
  /** Of the open file; undefined where nothing was written since it was opened. */
  writeback: Writeback | undefined;
  /** Bytes that an earlier run left. */
  readonly left: number;
  /** Whether it has its final name. */
  final: boolean;
}

interface Part {
  /** Index of the file. */
  readonly file: number;
  readonly length: number;
}

export interface OutputOptions {
  readonly folder: string;
  readonly fileName: string;
  /** Bytes of the whole bundle. */
  readonly size: number;
  readonly volumeSize?: number | undefined;
}

/** @throws PATH_INVALID (a link has one of the names), IO_FAILED, DISK_FULL */
export async function openOutput(options: OutputOptions): Promise<OutputFiles> {
  const { folder, fileName, size, volumeSize = options.size } = options;
  const files: OutputFile[] = [];
  for (const [i, name] of volumeNames(fileName, size, options.volumeSize).entries()) {
    const place = { start: i * volumeSize, size: Math.min(volumeSize, size - i * volumeSize) };
    const final = await refuseOtherThanFile(join(folder, name));
    const path = join(folder, final ? name : partialName(name));
    const isLeft = final || (await refuseOtherThanFile(path));
    const left = isLeft ? ((await nameAt(path))?.size ?? 0) : 0;
    files.push({ name, ...place, writeback: undefined, left, final });
  }
  return new OutputFiles(files, options);
}

/** Positions are those in the bundle. */
export class OutputFiles {
  readonly #files: readonly OutputFile[];
  /** What is there is never cut off when it is opened: it may be all that is left to resume from. */
  readonly #open = new OpenFiles<OutputFile>({
    open: (file) => openFile(this.#path(file)),
    close: closeWritten,
  });
  readonly #folder: string;
  readonly #fileName: string;
  readonly #volumeSize: number;

  constructor(files: readonly OutputFile[], { folder, fileName, size, volumeSize = size }: OutputOptions) {
    this.#files = files;
    this.#folder = folder;
    this.#fileName = fileName;
    this.#volumeSize = volumeSize;
  }

  /** Final names, in order. */
  get names(): string[] {
    return this.#files.map((file) => file.name);
  }

  /** Of each file, when it is whole. */
  get sizes(): number[] {
    return this.#files.map((file) => file.size);
  }

  /** Splits a range at the borders of files. */
  parts(position: number, length: number): Part[] {
    const found: Part[] = [];
    for (let at = position; at < position + length;) {
      const file = Math.floor(at / this.#volumeSize);
      const take = Math.min(position + length, (file + 1) * this.#volumeSize) - at;
      found.push({ file, length: take });
      at += take;
    }
    return found;
  }

  /** What is there of a range (in `into`, when it is given and large enough); fewer bytes when the files end before it. */
  async read(position: number, length: number, into?: Buffer): Promise<Buffer> {
    const buffer = scratch(into, length);
    let filled = 0;
    await this.#each(position, buffer, async (file, at, part) => {
      const found =
        at < file.left ? await this.#open.use(file, (open) => readFully(open, part, at)) : part.subarray(0, 0);
      filled += found.byteLength;
      return found.byteLength === part.byteLength;
    });
    return buffer.subarray(0, filled);
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    await this.#each(position, bytes, async (file, at, part) => {
      await this.#demote(file);
      await this.#open.use(file, async (open) => {
        file.writeback ??= new Writeback(open);
        await writeFully(open, part, at);
        file.writeback.wrote(part.byteLength);
      });
      return true;
    });
  }

  /** Cuts every file to its size, and makes what was written durable. */
  async sync(): Promise<void> {
    for (const file of this.#files) {
      try {
        if ((await this.#open.use(file, (open) => open.stat())).size !== file.size) {
          await this.#demote(file);
          await this.#open.use(file, (open) => open.truncate(file.size));
        }
        await this.#open.use(file, async (open) => {
          await file.writeback?.settle();
          await open.sync();
        });
      } catch (error) {
        throw fileError(error, 'write', this.#path(file));
      }
    }
  }

  /** Gives the final names, and removes what an earlier bundle of this name left. `renamed` is told of each. */
  async rename(renamed: (name: string) => void): Promise<void> {
    try {
      // the first volume last: a bundle is opened by it
      for (const file of this.#files.toReversed()) {
        if (!file.final) await rename(this.#path(file), join(this.#folder, file.name));
        file.final = true;
        renamed(file.name);
      }
      await syncFolder(this.#folder);
      await this.#removeStale();
    } catch (error) {
      throw fileError(error, 'rename files in', this.#folder);
    }
  }

  async close(): Promise<void> {
    await this.#open.close();
  }

  /** Removes what has no final name. Only after `close`. */
  async removeUnfinished(): Promise<void> {
    for (const file of this.#files) if (!file.final) await rm(this.#path(file), { force: true });
  }

  /** Visits the parts of a range while `visit` answers true. */
  async #each<B extends Uint8Array>(
    position: number,
    bytes: B,
    visit: (file: OutputFile, at: number, part: B) => Promise<boolean>,
  ): Promise<void> {
    let offset = 0;
    for (const part of this.parts(position, bytes.byteLength)) {
      const file = this.#files[part.file];
      if (!file) return;
      try {
        const at = position + offset - file.start;
        if (!(await visit(file, at, bytes.subarray(offset, offset + part.length) as B))) return;
      } catch (error) {
        throw fileError(error, 'write', this.#path(file));
      }
      offset += part.length;
    }
  }

  /** A file with its final name is never changed in place: it loses the name first. */
  async #demote(file: OutputFile): Promise<void> {
    if (!file.final) return;
    await rename(join(this.#folder, file.name), join(this.#folder, partialName(file.name)));
    await syncFolder(this.#folder);
    file.final = false;
  }

  /** Files of an earlier bundle of this name, in more volumes or unsplit, would be taken for parts of this one. */
  async #removeStale(): Promise<void> {
    const current = new Set(this.names);
    for (const name of await readdir(this.#folder)) {
      const rest = name.startsWith(this.#fileName) ? name.slice(this.#fileName.length) : undefined;
      if (rest !== undefined && /^(?:\.[0-9]{3,})?(?:\.partial)?$/.test(rest) && !current.has(name))
        await rm(join(this.#folder, name), { force: true });
    }
  }

  #path(file: OutputFile): string {
    return join(this.#folder, file.final ? file.name : partialName(file.name));
  }
}

function partialName(name: string): string {
  return `${name}.partial`;
}

/** What the disk has to say of what was written is said to the file that it was written by: it is synced before it is closed. */
async function closeWritten(file: OutputFile, open: FileHandle): Promise<void> {
  const { writeback } = file;
  file.writeback = undefined;
  try {
    await writeback?.settle();
    if (writeback) await open.sync();
  } finally {
    await open.close();
  }
}
