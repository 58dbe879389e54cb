// Progress that is true: bytes done of bytes known, never going backwards. A terminal gets one moving line, anything else a
// line every few seconds.
import type { AirgapEvent } from '../core/events.ts';
import { printable } from '../core/printable.ts';
import { formatBytes } from './format.ts';
import type { Io } from './io.ts';
import { shortened } from './table.ts';

export interface Progress {
  report(event: AirgapEvent): void;
  pause(): void;
}

const LINE_INTERVAL_MS = 5000;
const DRAW_INTERVAL_MS = 100;
/** A narrower line would say nothing. */
const LEAST_COLUMNS = 20;
/** The moving sign, the blank after it, and one that stays empty: a full line moves the cursor to the next. */
const SPINNER_COLUMNS = 3;

/** For pipes, logs and CI. */
export function lineProgress(io: Io): Progress {
  const phase = phaseTracker(io);
  let last = io.now();
  return {
    report: (event) => {
      phase.see(event);
      if (event.type === 'phase') io.stderr.write(`${phase.line()}\n`);
      else if (event.type === 'done') io.stderr.write(doneLine(event));
      else if (event.type === 'progress' && io.now() - last >= LINE_INTERVAL_MS) {
        last = io.now();
        io.stderr.write(`${phase.line()}\n`);
      }
    },
    pause: () => undefined,
  };
}

/** Whether a line that moves has a place: a terminal that obeys, and that says how wide it is. */
export function canMove({ stderr, env }: Io): boolean {
  if (stderr.isTTY !== true || env['CI'] !== undefined || env['TERM'] === 'dumb') return false;
  return (stderr.columns ?? 0) >= LEAST_COLUMNS;
}

/** For a terminal where a line can move. */
export async function spinnerProgress(io: Io): Promise<Progress> {
  const { default: ora } = await import('ora');
  const spinner = ora({ stream: withWidth(io.stderr), discardStdin: false });
  const phase = phaseTracker(io);
  let last = 0;
  const draw = (): void => {
    last = io.now();
    // one line always: more than one cannot be taken back when the window has changed or scrolled
    spinner.text = shortened(phase.line(), (io.stderr.columns ?? 0) - SPINNER_COLUMNS);
    if (!spinner.isSpinning) spinner.start();
  };
  return {
    report: (event) => {
      phase.see(event);
      if (event.type === 'phase' || (event.type === 'progress' && io.now() - last >= DRAW_INTERVAL_MS)) draw();
      if (event.type === 'done') {
        spinner.stop();
        io.stderr.write(doneLine(event));
        draw();
      }
    },
    pause: () => {
      spinner.stop();
    },
  };
}

/** A terminal may cease to say how wide it is; ora divides by the width that it finds. */
function withWidth(stderr: Io['stderr']): NodeJS.WriteStream {
  const columns = { get: (): number => stderr.columns || LEAST_COLUMNS };
  return Object.create(stderr, { columns }) as NodeJS.WriteStream;
}

function doneLine({ what, detail }: { readonly what: string; readonly detail?: string }): string {
  return `  ${printable(what)}${detail === undefined ? '' : `  ${printable(detail)}`}\n`;
}

function phaseTracker(io: Io): { see(event: AirgapEvent): void; line(): string } {
  let name = '';
  let total: number | undefined;
  let done = 0;
  let since = io.now();
  return {
    see: (event) => {
      if (event.type === 'phase') {
        name = printable(event.phase);
        total = event.total;
        done = 0;
        since = io.now();
      } else if (event.type === 'progress') {
        done += event.bytes;
      }
    },
    line: () => {
      if (total === undefined || (total === 0 && done === 0)) return name;
      const seconds = Math.max((io.now() - since) / 1000, 0.001);
      const rate = done / seconds;
      const percent = total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total));
      const left = rate > 0 && done < total ? `, ${formatDuration((total - done) / rate)} left` : '';
      return done === 0
        ? `${name}: ${formatBytes(total)}`
        : `${name}: ${percent} % of ${formatBytes(total)}, ${formatBytes(rate)}/s${left}`;
    },
  };
}

function formatDuration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
