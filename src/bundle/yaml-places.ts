// Where in a YAML text the keys and values of its first document are, from the parser's events, so that a fault found later
// has a line.
import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event } from 'js-yaml';

/** Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export type YamlPath = readonly (string | number)[];

interface Node {
  readonly start: number;
  /** The text of a scalar as it is written. */
  readonly written?: string;
  readonly items: Node[];
  readonly entries: Map<string, { readonly key: number; readonly value: Node }>;
}

export class PlacesOf {
  readonly #text: string;
  readonly #root: Node | undefined;
  /** Where each line starts. */
  #lines: readonly number[] | undefined;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#root = new Reading(text, events).document();
  }

  /** Of the value; of the last thing on the way to it that is there, where it is not. */
  ofValue(path: YamlPath): Place | undefined {
    return this.#placeOf(this.#walk(path)?.start);
  }

  /** Of the key that the path ends with. */
  ofKey(path: YamlPath): Place | undefined {
    const above = this.#walk(path.slice(0, -1));
    return this.#placeOf(above?.entries.get(String(path.at(-1)))?.key ?? above?.start);
  }

  /** A scalar as it is written: `3.50`, which is the number 3.5. */
  written(path: YamlPath): string | undefined {
    return this.#walk(path)?.written;
  }

  #walk(path: YamlPath): Node | undefined {
    let node = this.#root;
    for (const step of path) {
      const next = typeof step === 'number' ? node?.items[step] : node?.entries.get(step)?.value;
      if (next === undefined) return node;
      node = next;
    }
    return node;
  }

  #placeOf(offset: number | undefined): Place | undefined {
    if (offset === undefined || offset < 0) return undefined;
    this.#lines ??= [0, ...[...this.#text.matchAll(/\r\n|\n|\r/g)].map((end) => end.index + end[0].length)];
    const line = this.#lines.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (this.#lines[line] ?? 0) + 1 };
  }
}

/** Of one pass over the events. */
class Reading {
  readonly #text: string;
  readonly #events: readonly Event[];
  #at = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): Node | undefined {
    const first = this.#events[this.#at++];
    return first?.type === EVENT_ID.DOCUMENT && !this.#ends() ? this.#node() : undefined;
  }

  #node(): Node {
    const event = this.#events[this.#at++];
    const node: Node = { ...startOf(event, this.#text), items: [], entries: new Map() };
    if (event?.type === EVENT_ID.SEQUENCE) {
      while (!this.#ends()) node.items.push(this.#node());
      this.#at++;
    } else if (event?.type === EVENT_ID.MAPPING) {
      while (!this.#ends()) this.#entry(node);
      this.#at++;
    }
    return node;
  }

  #entry(node: Node): void {
    const event = this.#events[this.#at];
    const key = this.#node();
    const value = this.#node();
    if (event?.type !== EVENT_ID.SCALAR) return;
    // a value that is left empty is where its key is
    node.entries.set(getScalarValue(this.#text, event), {
      key: key.start,
      value: value.start < 0 ? { ...value, start: key.start } : value,
    });
  }

  #ends(): boolean {
    const event = this.#events[this.#at];
    return event === undefined || event.type === EVENT_ID.POP;
  }
}

function startOf(event: Event | undefined, text: string): Pick<Node, 'start' | 'written'> {
  switch (event?.type) {
    case EVENT_ID.SCALAR: {
      const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
      return {
        start: quoted ? event.valueStart - 1 : event.valueStart,
        written: text.slice(event.valueStart, event.valueEnd),
      };
    }
    case EVENT_ID.SEQUENCE:
    case EVENT_ID.MAPPING:
      return { start: event.start };
    case EVENT_ID.ALIAS:
      return { start: event.anchorStart };
    default:
      return { start: -1 };
  }
}
