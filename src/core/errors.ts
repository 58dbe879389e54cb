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
  KEY_INVALID: { exit: 2, meaning: 'A key file is not a usable PEM key.' },
  KEY_REQUIRED: {
    exit: 3,
    meaning: 'Nothing can be trusted without a public key that came another way than the media.',
  },
  PASSPHRASE_REQUIRED: { exit: 2, meaning: 'The private key is encrypted and no passphrase was given.' },
  PASSPHRASE_WRONG: { exit: 2, meaning: 'The passphrase does not open the private key.' },
  SIGNER_FAILED: { exit: 1, meaning: 'The external signer did not answer a signature.' },
  SIGNATURE_INVALID: {
    exit: 3,
    meaning: 'No signature on the bundle, or on an image that must have one, was made with the trusted key.',
  },
  BUNDLE_CORRUPT: { exit: 3, meaning: 'Bytes of the bundle differ from what was signed.' },
  FORMAT_UNKNOWN: { exit: 2, meaning: 'The bundle is written in a format that this version does not know.' },
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

/** Turns a failed file operation on `path` into the error a user should see; anything else passes unchanged. */
export function fileError(error: unknown, action: string, path: string): unknown {
  if (error instanceof AirgapError) return error;
  const cause = error;
  switch (systemErrorCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
      return new AirgapError('FILE_NOT_FOUND', `cannot ${action} ${path}: no such file or folder`, { cause });
    case 'EEXIST':
      return new AirgapError('FILE_EXISTS', `cannot ${action} ${path}: it is already there`, { cause });
    case 'ENOSPC':
    case 'EDQUOT':
      return new AirgapError('DISK_FULL', `cannot ${action} ${path}: no space left on the device`, {
        cause,
        hint: 'Free space there, or name another place, and run the same command again: it goes on where it stopped.',
      });
    default:
      return new AirgapError('IO_FAILED', `cannot ${action} ${path}: ${(error as Error).message}`, { cause });
  }
}
