// What --verbose shows: each event as a line, with the seconds since the command began.
import type { AirgapEvent } from '../core/events.ts';
import type { Io } from './io.ts';

/** The line of an event; undefined for those that progress shows. */
export type Trace = (event: AirgapEvent) => string | undefined;

export function traceFor({ now }: Pick<Io, 'now'>): Trace {
  const began = now();
  const requests = new Map<number, { readonly what: string; readonly at: number }>();
  const describe = (event: AirgapEvent): string | undefined => {
    switch (event.type) {
      case 'request':
        requests.set(event.id, { what: `${event.method} ${event.url}`, at: now() });
        return undefined;
      case 'response':
        return ended(event.id, String(event.status));
      case 'request-failed':
        return ended(event.id, event.message);
      case 'retry':
        return `again in ${seconds(event.after)}: ${event.message}`;
      case 'done':
        return `done: ${event.what}${event.detail === undefined ? '' : ` ${event.detail}`}`;
      case 'step':
        return `step ${event.step}`;
      case 'phase':
      case 'progress':
      case 'warning':
      case 'missing':
        return undefined;
    }
  };
  const ended = (id: number, how: string): string => {
    const { what, at } = requests.get(id) ?? { what: 'a request', at: now() };
    requests.delete(id);
    return `${what}: ${how} after ${Math.round(now() - at)} ms`;
  };
  return (event) => {
    const line = describe(event);
    return line === undefined ? undefined : `${seconds(now() - began).padStart(8)}  ${line}`;
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}
