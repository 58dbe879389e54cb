// The process as the commands see it. The only module that touches it is main.ts; tests pass their own.
import type { Readable, Writable } from 'node:stream';
import type { PackagedProgram } from '../core/program.ts';
import type { SpaceAt } from '../core/disk-space.ts';
import type { AirgapEvent } from '../core/events.ts';
import type { ProcessIdentity } from '../core/file-lock.ts';

export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homeDir: string;
  readonly self: ProcessIdentity;
  /** Whose files are one's own; undefined where files have no owner and modes (Windows). */
  readonly uid?: number | undefined;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** The time of day, which may be wrong; for what expires. */
  readonly date: () => Date;
  /** What is free on a file system; the system's own answer by default. */
  readonly space?: SpaceAt | undefined;
  /** The running program, where it is one file that can be carried. */
  readonly program?: PackagedProgram | undefined;
  /** Aborted by the first Ctrl-C (SIGINT) or SIGTERM. */
  readonly signal: AbortSignal;
  /** Sees every event before it is printed. */
  readonly observe?: ((event: AirgapEvent) => void) | undefined;
}
