// The files of a packaged chart (.tgz), read from a stream and never written to disk. The archive is hostile: sizes are
// counted as they come out of gzip, what is no plain file or folder is refused, and so is a path that leads elsewhere.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { systemErrorCode, type AirgapError } from '../../core/errors.ts';
import type { ByteStream } from '../../core/streams.ts';
import { invalid, type Origin } from '../kubernetes-yaml.ts';

/** Bytes of one file; Helm's own limit. */
const FILE_LIMIT = 5 * 1024 * 1024;

/** What an archive, and those packed in it, may still use. */
export interface Budget {
  /** Bytes that come out of gzip. */
  bytes: number;
  files: number;
}

export interface ArchiveOptions {
  readonly origin: Origin;
  readonly budget: Budget;
  /** Whether to keep the content of a file, by its path below the chart's folder. */
  readonly keep: (path: string) => boolean;
}

const FILE_TYPES: readonly string[] = ['File', 'OldFile', 'ContiguousFile'];

/** The kept files by their path below the chart's folder. @throws `origin.code`, and what the stream throws */
export async function readArchiveFiles(stream: ByteStream, options: ArchiveOptions): Promise<Map<string, Buffer>> {
  const reading = new Reading(options);
  try {
    await pipeline(Readable.from(stream), createGunzip(), (plain: ByteStream) => reading.consume(plain));
  } catch (error) {
    if (systemErrorCode(error)?.startsWith('Z_') !== true) throw error;
    throw invalid(options.origin, `is not a packaged chart (.tgz): ${(error as Error).message}`, error);
  }
  return reading.files;
}

class Reading {
  readonly files = new Map<string, Buffer>();
  readonly #options: ArchiveOptions;
  readonly #seen = new Set<string>();
  readonly #parser = new Parser({ strict: true, zstd: false });
  #fault: AirgapError | undefined;
  #ended = false;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#parser.on('entry', (entry: ReadEntry) => this.#take(entry));
    this.#parser.on('ignoredEntry', (entry: ReadEntry) => this.#pathOf(entry));
    this.#parser.on('error', (error: Error) => this.#refuse(error.message));
    this.#parser.on('eof', () => (this.#ended = true));
    // what follows a block of zeros is never taken for one more gzip stream
    this.#parser.write(Buffer.alloc(512));
  }

  async consume(plain: ByteStream): Promise<void> {
    const { budget } = this.#options;
    for await (const chunk of plain) {
      budget.bytes -= chunk.byteLength;
      if (budget.bytes < 0) this.#refuse('it unpacks to too much');
      if (!this.#ended && this.#fault === undefined) this.#parser.write(chunk);
      if (this.#fault !== undefined) throw this.#fault;
    }
    this.#parser.end();
    if (this.#fault !== undefined) throw this.#fault;
  }

  #take(entry: ReadEntry): void {
    const path = entry.type === 'Directory' ? undefined : this.#pathOf(entry);
    if (path === undefined || this.#fault !== undefined || !this.#options.keep(path)) {
      entry.resume();
      return;
    }
    if (entry.size > FILE_LIMIT) this.#refuse(`${path} has more than ${FILE_LIMIT} bytes`);
    const chunks: Buffer[] = [];
    entry.on('data', (chunk) => chunks.push(chunk));
    entry.on('end', () => this.files.set(path, Buffer.concat(chunks)));
  }

  #pathOf(entry: ReadEntry): string | undefined {
    const shown = JSON.stringify(entry.path.slice(0, 200));
    const path = pathBelowFolder(entry.path);
    if (entry.ignore || !FILE_TYPES.includes(entry.type)) this.#refuse(`${shown} is neither a file nor a folder`);
    else if (path === undefined) this.#refuse(`${shown} is no path below the folder of a chart`);
    else if (this.#seen.has(path)) this.#refuse(`it has ${shown} twice`);
    else if (--this.#options.budget.files < 0) this.#refuse('it has too many files');
    else this.#seen.add(path);
    return path;
  }

  #refuse(why: string): void {
    this.#fault ??= invalid(this.#options.origin, `is not a packaged chart (.tgz): ${why}`);
  }
}

/** As Helm takes it: without the first folder, whatever its name. Archives made on Windows may have backslashes. */
function pathBelowFolder(path: string): string | undefined {
  const parts = path.replaceAll('\\', '/').split('/');
  const below = parts.slice(1).filter((part) => part !== '' && part !== '.');
  if (/\p{Cc}/u.test(path) || parts[0] === '' || parts[0] === '..' || below.length === 0) return undefined;
  return below.includes('..') || /^[A-Za-z]:$/.test(below[0] ?? '') ? undefined : below.join('/');
}
