// What a person or a script sees: the result on stdout, everything else on stderr. With --json stdout is exactly one JSON
// document, on failure too.
import { AirgapError, errorCatalogue } from '../core/errors.ts';
import type { Missing, Report } from '../core/events.ts';
import { describeMissing } from '../core/missing.ts';
import { printable, printableJson } from '../core/printable.ts';
import type { Io } from './io.ts';
import { Outlet } from './outlet.ts';
import { paintFor, type Paint } from './paint.ts';
import { canMove, lineProgress, spinnerProgress, type Progress } from './progress.ts';

export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

export interface Output {
  readonly report: Report;
  /** By-products that were reported missing so far. */
  readonly missing: readonly Missing[];
  /** The result: `value` for --json, `lines` for a person. */
  result(value: unknown, lines: readonly string[]): void;
  /** Text of our own on stdout, as it is. */
  print(text: string): void;
  warn(message: string): void;
  /** Ends with the error; answers the exit status. */
  fail(error: unknown): number;
  /** Stops what is drawn, so that a prompt or a result can be written. */
  pause(): void;
  /**
   * Waits until everything is written. Resolves with the exit status: that of the work, whatever happens to the output, and
   * that of a failure where the work succeeded and its result could not be written.
   */
  end(status: number): Promise<number>;
}

export async function openOutput(io: Io, flags: OutputFlags): Promise<Output> {
  const stdout = new Outlet(io.stdout, 'standard output');
  const stderr = new Outlet(io.stderr, 'standard error');
  const paint = paintFor(io.stderr, io);
  const progress = await openProgress(io, flags);
  const say = (line: string): void => {
    progress.pause();
    stderr.write(`${line}\n`);
  };
  const fail = (error: unknown): number => {
    const failure = asFailure(error);
    if (flags.json === true) stdout.write(`${printableJson({ error: failureJson(failure) })}\n`);
    for (const line of failureLines(failure, paint, flags)) say(line);
    return failure.exitStatus;
  };
  const warn = (message: string): void => say(`${paint('yellow', 'Warning:')} ${printable(message)}`);
  const missing: Missing[] = [];
  return {
    missing,
    report: (event) => {
      io.observe?.(event);
      if (event.type === 'warning') warn(event.message);
      else if (event.type === 'missing') {
        missing.push(event.missing);
        warn(describeMissing(event.missing));
      } else progress.report(event);
    },
    result: (value, lines) => {
      progress.pause();
      stdout.write(
        flags.json === true ? `${printableJson(value)}\n` : lines.map((line) => `${printable(line)}\n`).join(''),
      );
    },
    print: (text) => stdout.write(text),
    warn,
    fail,
    pause: () => progress.pause(),
    end: async (status) => {
      progress.pause();
      const unwritten = await stdout.settled();
      const final = unwritten === undefined || status !== 0 ? status : fail(unwritten);
      await stderr.settled();
      return final;
    },
  };
}

async function openProgress(io: Io, flags: OutputFlags): Promise<Progress> {
  if (flags.quiet === true) return { report: () => undefined, pause: () => undefined };
  return canMove(io) ? await spinnerProgress(io) : lineProgress(io);
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

function failureLines(failure: AirgapError, paint: Paint, flags: OutputFlags): string[] {
  const lines = [`${paint('red', 'Error:')} ${printable(failure.message)} [${failure.code}]`];
  if (failure.hint !== undefined) lines.push(`${paint('cyan', 'Hint:')} ${printable(failure.hint)}`);
  if (flags.verbose === true) lines.push(...stacks(failure));
  return lines;
}

function stacks(error: Error): string[] {
  const own = error.stack === undefined ? [] : error.stack.split('\n').map(printable);
  return error.cause instanceof Error ? [...own, 'Caused by:', ...stacks(error.cause)] : own;
}
