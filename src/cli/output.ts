// What a person or a script sees: the result on stdout, everything else on stderr. With --json stdout is exactly one JSON
// document, on failure too.
import { AirgapError, errorCatalogue } from '../core/errors.ts';
import type { AirgapEvent, Missing, Report } from '../core/events.ts';
import { describeMissing } from '../core/missing.ts';
import { printable, printableJson } from '../core/printable.ts';
import type { Io } from './io.ts';
import { Outlet } from './outlet.ts';
import { traceFor } from './trace.ts';
import { paintFor, type Paint } from './paint.ts';
import type { Layout, Line } from './table.ts';
import { canMove, lineProgress, spinnerProgress, type Progress } from './progress.ts';

export interface OutputFlags {
  readonly wide?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly verbose?: boolean | undefined;
}

export interface Output {
  readonly report: Report;
  /** By-products that were reported missing so far. */
  readonly missing: readonly Missing[];
  /** Where lines of the result are shown. */
  readonly layout: Layout;
  /** The result: `value` for --json, `lines` for a person. */
  result(value: ResultDocument, lines: readonly (string | Line)[]): void;
  /** Bytes on stdout in place of a result. */
  bytes(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Text of our own on stdout, as it is. */
  print(text: string): void;
  warn(message: string): void;
  /** What a person may want to know beside the result. */
  note(message: string): void;
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

/** What --json prints; docs/json.md has the kinds, and what each key means. */
export interface ResultDocument {
  readonly kind: string;
  readonly [key: string]: unknown;
}

const MOST_CAUSES = 10;
const API_VERSION = 'eck-airgap/v1';

export interface OutputOptions {
  /** The lines of the result say what is done, so that progress need not. */
  readonly listsWhatIsDone?: boolean | undefined;
}

export async function openOutput(io: Io, flags: OutputFlags, options: OutputOptions = {}): Promise<Output> {
  const stdout = new Outlet(io.stdout, 'standard output');
  const stderr = new Outlet(io.stderr, 'standard error');
  const paint = paintFor(io.stderr, io);
  const progress = await openProgress(io, flags);
  const say = (line: string): void => {
    progress.pause();
    stderr.write(`${line}\n`);
  };
  const document = (value: ResultDocument): void =>
    stdout.write(`${printableJson({ apiVersion: API_VERSION, ...value })}\n`);
  const wanted = doneOnce(flags.json !== true && options.listsWhatIsDone === true);
  const trace = flags.verbose === true ? traceFor(io) : undefined;
  const fail = (error: unknown): number => {
    const failure = asFailure(error);
    if (flags.json === true) document({ kind: 'Failure', error: failureJson(failure) });
    for (const line of failureLines(failure, paint, flags)) say(line);
    return failure.exitStatus;
  };
  const warn = (message: string): void => say(`${paint('yellow', 'Warning:')} ${printable(message)}`);
  const missing: Missing[] = [];
  return {
    missing,
    layout: layoutOf(io, flags),
    report: (event) => {
      io.observe?.(event);
      const traced = trace?.(event);
      if (traced !== undefined) say(printable(traced));
      if (event.type === 'warning') warn(event.message);
      else if (event.type === 'missing') {
        missing.push(event.missing);
        warn(describeMissing(event.missing));
      } else if (traced === undefined && wanted(event)) progress.report(event);
    },
    result: (value, lines) => {
      progress.pause();
      if (flags.json === true) document(value);
      else stdout.write(lines.map((line) => `${lineText(line, paintFor(io.stdout, io))}\n`).join(''));
    },
    bytes: (bytes) => {
      progress.pause();
      return stdout.writeAll(bytes);
    },
    print: (text) => stdout.write(text),
    warn,
    note: (message) => {
      if (flags.quiet !== true) say(printable(message));
    },
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

/** A terminal that says that it has no columns usually has 80. */
function layoutOf({ stdout }: Io, { wide, json }: OutputFlags): Layout {
  const unlimited = stdout.isTTY !== true || wide === true || json === true;
  return { width: unlimited ? Infinity : Math.max(stdout.columns || 80, 40) };
}

function lineText(line: string | Line, paint: Paint): string {
  if (typeof line === 'string') return printable(line);
  return paint('red', printable(line.text.slice(0, line.wrong))) + printable(line.text.slice(line.wrong));
}

/** Each thing that is done is said once, whichever phases it goes through; not at all where the result says it. */
function doneOnce(listed: boolean): (event: AirgapEvent) => boolean {
  const said = new Set<string>();
  return (event) => {
    if (event.type !== 'done') return true;
    const isNew = !said.has(event.what);
    said.add(event.what);
    return isNew && !listed;
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
  if (flags.verbose === true) lines.push(...causes(failure));
  return lines;
}

/** What led to it. Where in the program only a defect is told, for whoever mends it. */
function causes(failure: AirgapError): string[] {
  const lines: string[] = [];
  let { cause } = failure;
  for (let depth = 0; cause instanceof Error && depth < MOST_CAUSES; depth++) {
    lines.push(printable(`Caused by: ${cause.name}: ${cause.message}`));
    if (failure.code === 'INTERNAL') lines.push(...framesOf(cause));
    ({ cause } = cause);
  }
  return lines;
}

function framesOf({ stack = '' }: Error): string[] {
  return stack
    .split('\n')
    .filter((line) => /^ +at /.test(line))
    .map(printable);
}
