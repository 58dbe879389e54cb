// Signals. The first ends the work in order, and at once where that takes too long; the second ends the process, always.
import { onThreadHeld } from '../core/held-thread.ts';
import { interrupted } from './output.ts';

/** SIGHUP comes when the terminal goes away: an ssh connection that is lost. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const INTERRUPTED = 130;

/** How long the end in order may take, in milliseconds. */
export const GRACE_MS = 1500;

/** Aborted by the first signal. Called once for a process. */
export function interruptible(): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    controller.abort(interrupted());
    // later than the command line gives up waiting for the work (run.ts), which says so
    setTimeout(() => process.exit(INTERRUPTED), GRACE_MS + 300).unref();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  onThreadHeld(withoutHandlers);
  return controller.signal;
}

/** No handler runs while the thread is held. Without one the operating system ends the process at the first signal. */
function withoutHandlers<T>(work: () => T): T {
  const handlers = SIGNALS.map((signal) => [signal, process.rawListeners(signal)] as const);
  for (const [signal] of handlers) process.removeAllListeners(signal);
  try {
    return work();
  } finally {
    for (const [signal, listeners] of handlers)
      for (const listener of listeners) process.on(signal, listener as () => void);
  }
}
