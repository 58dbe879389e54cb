// A command that can be killed anywhere: how it is run and watched, and what must hold after a kill and after the run that goes on.
import type { Digest } from '../../src/core/digest.ts';
import type { Phases } from './watched.ts';

export interface Job {
  readonly name: string;
  readonly argv: readonly string[];
  readonly phases: Phases;
  /** The most bytes of one transfer that may go twice. */
  readonly limit: number;
  /** Called when a process that is about to be killed does nothing any more. */
  readonly stopped?: (() => void) | undefined;
  /** A new folder in which the command has not run yet. */
  begin(): Promise<string>;
  /** What is wrong with what a killed run left behind. */
  afterKill(folder: string): Promise<string[]>;
  /** What is wrong after the command ran again and ended with 0. */
  afterResume(folder: string): Promise<string[]>;
  /** Bytes of bodies that went since `begin`, by digest. */
  transferred(): ReadonlyMap<Digest, number>;
}

/** Bytes by which each transfer went beyond the size of its content; none below zero. */
export function doneTwice(
  transferred: ReadonlyMap<Digest, number>,
  content: ReadonlyMap<Digest, { readonly byteLength: number }>,
): Map<Digest, number> {
  return new Map(
    [...transferred].map(([digest, bytes]) => [
      digest,
      Math.max(0, bytes - (content.get(digest)?.byteLength ?? bytes)),
    ]),
  );
}
