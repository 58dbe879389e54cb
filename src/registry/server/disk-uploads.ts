// Uploads of the store on disk: a file for each, which is a blob once it has its digest. What comes in is hashed as it
// comes; only an upload that an earlier process began is read again at its end.
import { rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Digester, digestOfStream, type Digest } from '../../core/digest.ts';
import { fileError } from '../../core/errors.ts';
import { syncFolder } from '../../core/files.ts';
import { borrowFileRange } from '../../core/named-file.ts';
import { openOutput } from '../../core/output-file.ts';
import { writeFully, type ByteStream } from '../../core/streams.ts';
import { fileSize, remove } from './disk-files.ts';

/** Uploads that nobody finishes are forgotten beyond so many: of those the hash is taken again. */
const REMEMBERED = 1000;

interface OpenUpload {
  readonly file: FileHandle;
  readonly path: string;
  /** Hash of all that is there; undefined when that has to be taken again at the end. */
  readonly digester: Digester | undefined;
}

export class DiskUploads {
  /** Hash of all that the file has, by its path. */
  readonly #hashes = new Map<string, Digester>();

  /** Appends to the file, and keeps what came of a stream that fails. Answers the new size. @throws IO_FAILED, DISK_FULL */
  async append(path: string, bytes: ByteStream): Promise<number> {
    const file = await openOutput(path, { create: false });
    try {
      const { size } = await file.stat();
      return await this.#write({ file, path, digester: this.#take(path, size) }, size, bytes);
    } finally {
      await file.close();
    }
  }

  /** Moves the file to where the blob belongs; false, and it is gone, when it has another digest. */
  async finish(path: string, blob: string, digest: Digest): Promise<boolean> {
    const digester = this.#take(path, (await fileSize(path)) ?? 0);
    const found = digester ? digester.digest() : (await digestOfStream(borrowFileRange(path))).digest;
    if (found !== digest) {
      await remove(path);
      return false;
    }
    try {
      await syncFile(path);
      await rename(path, blob);
      await syncFolder(dirname(blob));
      return true;
    } catch (error) {
      throw fileError(error, 'write', blob);
    }
  }

  async cancel(path: string): Promise<void> {
    this.#hashes.delete(path);
    await remove(path);
  }

  /** Errors of the stream are the sender's, and stay as they are. */
  async #write({ file, path, digester }: OpenUpload, size: number, bytes: ByteStream): Promise<number> {
    let end = size;
    try {
      for await (const chunk of bytes) {
        await writeFully(file, chunk, end).catch((error: unknown) => {
          throw fileError(error, 'write', path);
        });
        end += chunk.byteLength;
        digester?.update(chunk);
      }
      return end;
    } finally {
      if (digester) this.#keep(path, digester);
    }
  }

  /** The hash of a file that has `size` bytes, if all of them were hashed. */
  #take(path: string, size: number): Digester | undefined {
    const digester = this.#hashes.get(path) ?? new Digester();
    this.#hashes.delete(path);
    return digester.size === size ? digester : undefined;
  }

  #keep(path: string, digester: Digester): void {
    this.#hashes.set(path, digester);
    const [oldest] = this.#hashes.keys();
    if (this.#hashes.size > REMEMBERED && oldest !== undefined) this.#hashes.delete(oldest);
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await openOutput(path, { create: false });
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
