// Files that a person names, on the command line or in a configuration. They are opened without waiting for anybody: a pipe
// that has a name blocks whoever opens it until there is a writer, and a device may have no end. The pipes of a shell
// (`<(…)`, /dev/stdin) are open already, and are read where the caller allows it.
import { constants, open as openDescriptor, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Socket } from 'node:net';
import { devNull } from 'node:os';
import { promisify } from 'node:util';
import { AirgapError, fileError, type ErrorCode } from './errors.ts';
import { borrowRange, collect, readRange, type Borrowed, type FileRange } from './streams.ts';
import { requireText } from './text.ts';

// Windows has no O_NONBLOCK
const { O_RDONLY, O_NONBLOCK = 0 } = constants as Partial<typeof constants> & { O_RDONLY: number };
const OPEN_ALREADY = /^\/dev\/(?:stdin|fd\/[0-9]+)$|^\/proc\/(?:self|[0-9]+)\/fd\/[0-9]+$/;

export interface ReadNamedOptions {
  /** Bytes that are accepted at most. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws PATH_INVALID for what is no regular file, FILE_NOT_FOUND, IO_FAILED */
export async function openNamedFile(path: string): Promise<FileHandle> {
  const { file, info } = await opened(path);
  if (info.isFile()) return file;
  await file.close();
  throw notRegular(path, info);
}

/** A range of a regular file, which is opened for it and closed. @throws PATH_INVALID, FILE_NOT_FOUND, IO_FAILED */
export function readFileRange(path: string, range: FileRange = {}): AsyncGenerator<Buffer> {
  return readingFile(path, (file) => readRange(file, range));
}

/** The same, lent. @throws PATH_INVALID, FILE_NOT_FOUND, IO_FAILED */
export function borrowFileRange(path: string, range: FileRange = {}): AsyncGenerator<Borrowed> {
  return readingFile(path, (file) => borrowRange(file, range));
}

async function* readingFile<T>(path: string, read: (file: FileHandle) => AsyncIterable<T>): AsyncGenerator<T> {
  const file = await openNamedFile(path);
  try {
    yield* read(file);
  } catch (error) {
    throw fileError(error, 'read', path);
  } finally {
    await file.close();
  }
}

/** The bytes of a regular file, or of a pipe that is open already; none of the null device. @throws PATH_INVALID, FILE_NOT_FOUND, IO_FAILED */
export async function* readNamed(path: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const { file, info } = await opened(path);
  try {
    if (info.isFile()) yield* readRange(file, { signal });
    else if (info.isFIFO() && OPEN_ALREADY.test(path)) yield* readPipe(path, signal);
    else if (path !== devNull) throw notRegular(path, info);
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(error, 'read', path);
  } finally {
    await file.close();
  }
}

/**
 * A small text.
 * @param code what it is when it is too large or no text
 * @throws `code`, PATH_INVALID, FILE_NOT_FOUND, IO_FAILED
 */
export async function readNamedText(path: string, options: ReadNamedOptions, code?: ErrorCode): Promise<string> {
  const { limit, signal } = options;
  const tooLong = (): AirgapError =>
    new AirgapError(code ?? 'CONFIG_INVALID', `${path} is larger than ${limit} bytes`, {
      hint: 'Check that it is the file that is meant.',
    });
  return requireText(await collect(readNamed(path, signal), limit, tooLong), path, code);
}

async function opened(path: string): Promise<{ file: FileHandle; info: Stats }> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, O_RDONLY | O_NONBLOCK);
    return { file, info: await file.stat() };
  } catch (error) {
    await file?.close();
    throw fileError(error, 'read', path);
  }
}

/** On a descriptor of its own, by the event loop: a read that waits in a thread could not be interrupted. */
async function* readPipe(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const fd = await promisify(openDescriptor)(path, O_RDONLY | O_NONBLOCK);
  const socket = new Socket({ fd, readable: true, writable: false, ...(signal === undefined ? {} : { signal }) });
  yield* socket as AsyncIterable<Buffer>;
}

function notRegular(path: string, info: Stats): AirgapError {
  const kind = info.isDirectory() ? 'a folder' : info.isFIFO() ? 'a pipe' : 'a device or a socket';
  return new AirgapError('PATH_INVALID', `cannot read ${path}: it is ${kind}, not a regular file`);
}
