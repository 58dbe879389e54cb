// What a person or a script sees: the result on stdout, everything else on stderr. With --json stdout is exactly one JSON
// document, on failure too.
import { stripVTControlCharacters, styleText } from 'node:util';
import { AirgapError, errorCatalogue } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import type { Io } from './io.ts';
import { lineProgress, spinnerProgress, type Progress } from './progress.ts';

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

export interface Output {
  readonly report: Report;
  /** The result: `value` for --json, `lines` for a person. */
  result(value: unknown, lines: readonly string[]): void;
  warn(message: string): void;
  /** Ends with the error; answers the exit status. */
  fail(error: unknown): number;
  /** Stops what is drawn, so that a prompt or a result can be written. */
  pause(): void;
}

export async function openOutput(io: Io, flags: OutputFlags): Promise<Output> {
  const progress = await openProgress(io, flags);
  const say = (line: string): void => {
    progress.pause();
    io.stderr.write(`${line}\n`);
  };
  const warn = (message: string): void => say(`${paint(io, 'yellow', 'Warning:')} ${printable(message)}`);
  return {
    report: (event) => {
      io.observe?.(event);
      if (event.type === 'warning') warn(event.message);
      else progress.report(event);
    },
    result: (value, lines) => {
      progress.pause();
      io.stdout.write(
        flags.json === true
          ? `${JSON.stringify(value, null, 2)}\n`
          : lines.map((line) => `${printable(line)}\n`).join(''),
      );
    },
    warn,
    fail: (error) => {
      const failure = asFailure(error);
      if (flags.json === true) io.stdout.write(`${JSON.stringify({ error: failureJson(failure) }, null, 2)}\n`);
      for (const line of failureLines(io, failure, flags)) say(line);
      return failure.exitStatus;
    },
    pause: () => progress.pause(),
  };
}

async function openProgress(io: Io, flags: OutputFlags): Promise<Progress> {
  if (flags.quiet === true) return { report: () => undefined, pause: () => undefined };
  const animated = io.stderr.isTTY === true && io.env['CI'] === undefined && io.env['TERM'] !== 'dumb';
  return animated ? await spinnerProgress(io) : lineProgress(io);
}

/** Whatever was thrown, as an error of the catalogue. */
function asFailure(error: unknown): AirgapError {
  if (error instanceof AirgapError) return error;
  if (error instanceof Error && error.name === 'AbortError') return interrupted();
  return new AirgapError('INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
    hint: 'This is a defect of eck-airgap. Please report it with what --verbose prints.',
  });
}

export function interrupted(): AirgapError {
  return new AirgapError('INTERRUPTED', 'interrupted', {
    hint: 'Run the same command again: it goes on where it stopped.',
  });
}

function failureJson(failure: AirgapError): Record<string, unknown> {
  return {
    code: failure.code,
    message: failure.message,
    exitStatus: failure.exitStatus,
    meaning: errorCatalogue[failure.code].meaning,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    ...(Object.keys(failure.details).length === 0 ? {} : { details: failure.details }),
  };
}

function failureLines(io: Io, failure: AirgapError, flags: OutputFlags): string[] {
  const lines = [`${paint(io, 'red', 'Error:')} ${printable(failure.message)} [${failure.code}]`];
  if (failure.hint !== undefined) lines.push(`${paint(io, 'cyan', 'Hint:')} ${printable(failure.hint)}`);
  if (flags.verbose === true) lines.push(...stacks(failure));
  return lines;
}

function stacks(error: Error): string[] {
  const own = error.stack === undefined ? [] : error.stack.split('\n').map(printable);
  return error.cause instanceof Error ? [...own, 'Caused by:', ...stacks(error.cause)] : own;
}

/** Text from outside may carry escape sequences that a terminal would obey. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    '?',
  );
}

function paint(io: Io, colour: 'red' | 'yellow' | 'cyan', text: string): string {
  if (io.stderr.isTTY !== true || (io.env['NO_COLOR'] ?? '') !== '') return text;
  return styleText(colour, text, { validateStream: false });
}
