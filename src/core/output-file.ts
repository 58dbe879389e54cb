// Opening files to write, on media that others have had in their hands: a name that is a link, or that a second name shares,
// would lead what is written to a file that nobody named. Folders on the way are taken as the user named them.
import { constants, type Stats } from 'node:fs';
import { lstat, open, type FileHandle } from 'node:fs/promises';
import { AirgapError, fileError, systemErrorCode } from './errors.ts';

// Windows has neither flag
const {
  O_RDONLY,
  O_RDWR,
  O_CREAT,
  O_APPEND,
  O_NONBLOCK = 0,
  O_NOFOLLOW = 0,
} = constants as Partial<typeof constants> & Pick<typeof constants, 'O_RDONLY' | 'O_RDWR' | 'O_CREAT' | 'O_APPEND'>;

const LINK = /^(?:ELOOP|EMLINK|EFTYPE)$/;

export interface OutputOptions {
  /** Make the file where there is none; true by default. */
  readonly create?: boolean;
  /** Write at its end only. */
  readonly append?: boolean;
}

/**
 * Opens a file to read and write; what is in it stays.
 * @throws PATH_INVALID for a link, a file that has another name too, and what is no file; DISK_FULL, IO_FAILED, FILE_NOT_FOUND
 */
export async function openOutput(path: string, options: OutputOptions = {}): Promise<FileHandle> {
  const { create = true, append = false } = options;
  await refuseOtherThanFile(path);
  return openOwn(path, O_RDWR | (create ? O_CREAT : 0) | (append ? O_APPEND : 0), 'write');
}

/** Opens what an earlier run wrote, to read it back. @throws as `openOutput`; FILE_NOT_FOUND where there is nothing */
export async function openWritten(path: string): Promise<FileHandle> {
  return openOwn(path, O_RDONLY, 'read');
}

/**
 * Whether a file is there that could be written over. A link whose target is missing is there too.
 * @throws PATH_INVALID for anything else of that name
 */
export async function refuseOtherThanFile(path: string): Promise<boolean> {
  const found = await nameAt(path);
  if (found !== undefined) requireOwnFile(path, found);
  return found !== undefined;
}

/** What has a name, be it a link that leads nowhere; undefined for a free name. @throws PATH_INVALID, IO_FAILED */
export async function nameAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read', path);
  }
}

async function openOwn(path: string, flags: number, action: 'read' | 'write'): Promise<FileHandle> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK);
    requireOwnFile(path, await file.stat());
    return file;
  } catch (error) {
    await file?.close();
    if (LINK.test(systemErrorCode(error) ?? '')) throw notOurs(path, 'is a link');
    throw fileError(error, action, path);
  }
}

function requireOwnFile(path: string, found: Stats): void {
  if (found.isSymbolicLink()) throw notOurs(path, 'is a link');
  if (!found.isFile()) throw notOurs(path, found.isDirectory() ? 'is a folder' : 'is a pipe, a device or a socket');
  if (found.nlink > 1) throw notOurs(path, 'has another name too (a hard link)');
}

function notOurs(path: string, why: string): AirgapError {
  return new AirgapError('PATH_INVALID', `${path} ${why}: nothing is written through it`, {
    hint: 'Remove it, or name another place.',
    details: { file: path },
  });
}
