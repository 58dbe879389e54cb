// The one error type of the project, and the catalogue of its codes. A code fixes the exit status; a message says what
// and where; a hint says the way out. docs/errors.md is generated from this catalogue.

/** Exit statuses: 1 failed, 2 usage or configuration, 3 not trusted or corrupt, 4 incomplete, 130 interrupted. */
export type ExitStatus = 1 | 2 | 3 | 4 | 130;

interface ErrorKind {
  readonly exit: ExitStatus;
  /** One sentence for the error table. */
  readonly meaning: string;
}

export const errorCatalogue = {
  USAGE: { exit: 2, meaning: 'The command line cannot be understood.' },
  CONFIG_INVALID: { exit: 2, meaning: 'A configuration file does not have the documented shape.' },
  REFERENCE_INVALID: { exit: 2, meaning: 'An image reference, repository, tag, digest or platform is malformed.' },
  VERSION_INVALID: { exit: 2, meaning: 'A version of the Stack, ECK, Kubernetes or OpenShift is malformed.' },
  VERSION_UNSUPPORTED: {
    exit: 2,
    meaning: 'Versions, components or flavours that were asked for do not work together.',
  },
  VERSION_UNKNOWN: {
    exit: 2,
    meaning:
      'A version is newer than the tables of this release; --allow-unknown-version applies the newest rules to it.',
  },
  COMPONENT_UNKNOWN: { exit: 2, meaning: 'The catalogue has no component of that name.' },
  NAME_COLLISION: { exit: 2, meaning: 'Two different images would get the same name in the target.' },
  LOCK_STALE: { exit: 2, meaning: 'The lock file was made from another airgap.yaml.' },
  UPSTREAM_CHANGED: {
    exit: 1,
    meaning: 'What is published under a name is no longer what the lock pins (lock --check).',
  },
  FILE_NOT_FOUND: { exit: 2, meaning: 'A file named on the command line or in a configuration does not exist.' },
  FILE_EXISTS: { exit: 2, meaning: 'A file that must not be overwritten is already there.' },
  PATH_INVALID: {
    exit: 2,
    meaning:
      'A path leads to another kind of thing than is needed there (a folder, a pipe, a device), or nowhere (a loop of links, a name that is too long).',
  },
  KEY_INVALID: { exit: 2, meaning: 'A key file is not a usable PEM key.' },
  KEY_REQUIRED: {
    exit: 3,
    meaning: 'Nothing can be trusted without a public key that came another way than the media.',
  },
  KEY_EXPOSED: { exit: 2, meaning: 'A private key can be read by others than its owner.' },
  PASSPHRASE_REQUIRED: { exit: 2, meaning: 'The private key is encrypted and no passphrase was given.' },
  PASSPHRASE_WRONG: { exit: 2, meaning: 'The passphrase does not open the private key.' },
  PASSPHRASE_WEAK: { exit: 2, meaning: 'A new passphrase is too short.' },
  SIGNER_FAILED: { exit: 1, meaning: 'The external signer did not answer a signature.' },
  SIGNATURE_INVALID: {
    exit: 3,
    meaning: 'No signature on the bundle, or on an image that must have one, was made with the trusted key.',
  },
  BUNDLE_CORRUPT: { exit: 3, meaning: 'Bytes of the bundle differ from what was signed.' },
  BUNDLE_OLDER: {
    exit: 3,
    meaning: 'A newer bundle of that name was loaded there before, or one that cannot be told from a newer one.',
  },
  BY_PRODUCT_MISSING: {
    exit: 4,
    meaning: 'A by-product (a receipt, a record, a signature of an image) that --strict requires cannot be had.',
  },
  BUNDLE_EXPIRED: { exit: 3, meaning: 'The bundle is past the time after which it is not to be used.' },
  FORMAT_UNKNOWN: { exit: 2, meaning: 'The bundle is written in a format that this version does not know.' },
  NOT_A_BUNDLE: { exit: 2, meaning: 'A file that was named where a bundle is wanted is something else.' },
  BUNDLE_INCOMPLETE: { exit: 4, meaning: 'The bundle, or something that it should hold, is not all there.' },
  VOLUME_MISSING: { exit: 4, meaning: 'A numbered volume of the bundle is missing.' },
  DIGEST_MISMATCH: { exit: 3, meaning: 'Content does not have the digest or size that it was asked for by.' },
  MANIFEST_INVALID: {
    exit: 3,
    meaning: 'A manifest, index or config does not have the shape its media type promises.',
  },
  CONTENT_MISSING: { exit: 4, meaning: 'An image, tag, blob or file that is needed does not exist at its source.' },
  PLATFORM_MISSING: { exit: 4, meaning: 'An image does not exist for a platform that was asked for.' },
  PROXY_FAILED: { exit: 1, meaning: 'The proxy cannot be reached, or does not let us through.' },
  REGISTRY_UNREACHABLE: { exit: 1, meaning: 'The registry, or a server of downloads, does not answer.' },
  REGISTRY_UNAUTHORIZED: {
    exit: 1,
    meaning: 'The registry, or a server of downloads, wants credentials, or refuses the ones it got.',
  },
  REGISTRY_DENIED: {
    exit: 1,
    meaning: 'The account may not do this in the registry, or read this from the server of downloads.',
  },
  REGISTRY_RATE_LIMITED: {
    exit: 1,
    meaning: 'The registry, or a server of downloads, limits requests, and went on doing so through every retry.',
  },
  REGISTRY_ERROR: {
    exit: 1,
    meaning:
      'The registry, or a server of downloads, answered with an error, through every retry where one could help.',
  },
  REGISTRY_PROTOCOL: {
    exit: 1,
    meaning:
      'The registry answered something the distribution specification does not allow, or a server of downloads something that cannot be used.',
  },
  URL_REFUSED: { exit: 1, meaning: 'A server sent us to an address that we do not follow.' },
  CREDENTIALS_INVALID: { exit: 2, meaning: 'A credentials file or helper cannot be read.' },
  TLS_REQUIRED: { exit: 2, meaning: 'Plain HTTP beyond loopback needs its own flag.' },
  TLS_FAILED: { exit: 1, meaning: 'The certificate of a server is not trusted, or a TLS file cannot be used.' },
  LISTEN_FAILED: { exit: 1, meaning: 'The server cannot listen on the address.' },
  STORE_BUSY: { exit: 1, meaning: 'Another process is working on the same files.' },
  DISK_FULL: { exit: 1, meaning: 'There is no space left where the output goes.' },
  IO_FAILED: { exit: 1, meaning: 'The operating system refused to read or write a file.' },
  INTERRUPTED: { exit: 130, meaning: 'The command was interrupted; the same command again goes on.' },
  INTERNAL: { exit: 1, meaning: 'A defect of eck-airgap itself.' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorCatalogue;

export interface ErrorOptions {
  /** What the user can do next, as one sentence or command. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** Facts for --json: names, expected and found values. No secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A failure that a user can cause or meet. `message` says what and where, in one line. */
export class AirgapError extends Error {
  override readonly name = 'AirgapError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  get exitStatus(): ExitStatus {
    return errorCatalogue[this.code].exit;
  }
}

/** Whether `error` is an AirgapError, of one of `codes` where any are given. */
export function isAirgapError(error: unknown, ...codes: readonly ErrorCode[]): error is AirgapError {
  return error instanceof AirgapError && (codes.length === 0 || codes.includes(error.code));
}

/** The `code` of a Node system error (ENOENT, ECONNRESET, …), looked for in the chain of causes too. */
export function systemErrorCode(error: unknown): string | undefined {
  for (let e: unknown = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth++) {
    if ('code' in e && typeof e.code === 'string') return e.code;
  }
  return undefined;
}

interface FileFault {
  readonly code: ErrorCode;
  /** What is in the way, as the rest of a sentence. */
  readonly reason: string;
  readonly hint?: string;
}

const DISK_IS_FULL: FileFault = {
  code: 'DISK_FULL',
  reason: 'no space left on the device',
  hint: 'Free space there, or name another place, and run the same command again: it goes on where it stopped.',
};
const PERMISSION = 'Check the owner and the mode of it, and of the folders above it; or name another place.';
const DESCRIPTORS = 'Raise the limit (for example "ulimit -n 4096") and run the same command again.';

const fileFaults: Readonly<Record<string, FileFault>> = {
  ENOENT: { code: 'FILE_NOT_FOUND', reason: 'no such file or folder' },
  EEXIST: { code: 'FILE_EXISTS', reason: 'it is already there' },
  ENOSPC: DISK_IS_FULL,
  EDQUOT: { ...DISK_IS_FULL, reason: 'the quota of this account is used up' },
  ENOTDIR: { code: 'PATH_INVALID', reason: 'a part of the path that should be a folder is a file' },
  EISDIR: { code: 'PATH_INVALID', reason: 'it is a folder, not a file' },
  ELOOP: { code: 'PATH_INVALID', reason: 'a symbolic link in its path leads in a circle, or may not be followed' },
  ENAMETOOLONG: { code: 'PATH_INVALID', reason: 'its name is longer than the file system allows' },
  // opening a socket for reading
  ENXIO: { code: 'PATH_INVALID', reason: 'it is not a regular file' },
  EROFS: {
    code: 'IO_FAILED',
    reason: 'the file system is read-only',
    hint: 'Name a place that can be written to, or mount the file system for writing.',
  },
  EACCES: { code: 'IO_FAILED', reason: 'permission denied', hint: PERMISSION },
  EPERM: { code: 'IO_FAILED', reason: 'the operating system does not permit it', hint: PERMISSION },
  EBUSY: {
    code: 'IO_FAILED',
    reason: 'it is in use',
    hint: 'Another program or a mount is using it: end that, or name another place.',
  },
  ETXTBSY: {
    code: 'IO_FAILED',
    reason: 'it is a program that is running',
    hint: 'End that program, or name another place.',
  },
  EIO: {
    code: 'IO_FAILED',
    reason: 'the device reports an input/output error',
    hint: 'The disk or medium may be failing: look at the log of the kernel (dmesg), and use another copy.',
  },
  EFBIG: {
    code: 'IO_FAILED',
    reason: 'the file would be larger than the file system or the limit of this account allows',
    hint: 'Write a bundle in volumes with --volume-size (4G fits FAT32); for other files name another file system, or raise "ulimit -f".',
  },
  EMFILE: { code: 'IO_FAILED', reason: 'this process has too many files open', hint: DESCRIPTORS },
  ENFILE: { code: 'IO_FAILED', reason: 'this system has too many files open', hint: DESCRIPTORS },
  ENOTEMPTY: { code: 'IO_FAILED', reason: 'the folder is not empty' },
  ESTALE: {
    code: 'IO_FAILED',
    reason: 'the network file system no longer has it',
    hint: 'Mount the network file system again, and run the same command again.',
  },
};

/** Node reads arguments and names as UTF-8, and puts U+FFFD where a byte is not: the name that it has then does not exist. */
const NOT_UTF8: FileFault = {
  code: 'FILE_NOT_FOUND',
  reason: 'its path is not valid UTF-8, so it cannot be opened by it',
  hint: 'Rename it, or make a link to it ("ln -s FOLDER media") and name the link.',
};

/** Turns a failed file operation on `path` into the error a user should see; anything else passes unchanged. */
export function fileError(error: unknown, action: string, path: string): unknown {
  if (error instanceof AirgapError) return error;
  const system = systemErrorCode(error);
  if (system === undefined) return error;
  const known = system === 'ENOENT' && path.includes('\uFFFD') ? NOT_UTF8 : fileFaults[system];
  const { code, reason, hint } = known ?? { code: 'IO_FAILED', reason: (error as Error).message };
  return new AirgapError(code, `cannot ${action} ${path}: ${reason}`, { cause: error, hint });
}
