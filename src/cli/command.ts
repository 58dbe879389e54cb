// What a command is: a name, a summary, its flags, and what it does with them.
import type { Command } from 'commander';
import type { Hashing } from '../core/hashing.ts';
import type { Io } from './io.ts';
import type { Output } from './output.ts';

export interface CommandContext {
  readonly io: Io;
  readonly output: Output;
  readonly args: readonly string[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** Threads to hash with; they end with the command. */
  readonly hashing: Hashing;
}

export interface CommandModule {
  readonly name: string;
  readonly summary: string;
  /** The lines of its result name everything that it is done with. */
  readonly listsWhatIsDone?: boolean;
  /** Declares arguments, options and examples. */
  define(command: Command): Command;
  /** Prints its result through `output`; a failure is thrown. */
  run(context: CommandContext): Promise<void>;
}
