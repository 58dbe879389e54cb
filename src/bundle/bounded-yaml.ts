// YAML from outside, read within bounds: size and nodes before it is parsed, depth while it is, and what its aliases stand
// for before anybody walks the tree. What the documents must hold is for others.
import { constructFromEvents, parseEvents, YAMLException, type Event, type Schema } from 'js-yaml';
import { holdThread } from '../core/held-thread.ts';
import { PlacesOf, type Place } from './yaml-places.ts';

export interface YamlLimits {
  readonly characters: number;
  /** About as many as a parser would make; each takes some 200 bytes. */
  readonly nodes: number;
  /** Characters, and NODE_COST for each node, when each alias is taken for what it stands for. */
  readonly expanded: number;
}

export interface BoundedYamlOptions {
  readonly schema: Schema;
  readonly limits: YamlLimits;
  /** Of equal keys the last counts; else they are refused. */
  readonly json?: boolean;
  /** Makes the error to throw. @param why the rest of a sentence about the text */
  readonly refuse: (why: string, place?: Place, cause?: unknown) => Error;
}

export interface BoundedYaml {
  /** Trees without cycles; none for an empty text. */
  readonly documents: readonly unknown[];
  /** Where in the text the values of the first document are; made when it is first wanted. */
  readonly places: () => PlacesOf;
}

export const NODE_COST = 16;
const DEPTH_LIMIT = 100;
/** With aliases taken for what they stand for. */
const EXPANDED_DEPTH_LIMIT = 200;

export function readBoundedYaml(text: string, options: BoundedYamlOptions): BoundedYaml {
  return holdThread(() => read(text, options));
}

function read(text: string, options: BoundedYamlOptions): BoundedYaml {
  const { limits, refuse } = options;
  if (text.length > limits.characters || countNodes(text) > limits.nodes) throw refuse('is too large');
  const { documents, events } = parse(text, options);
  if (!isSmallTree(documents, limits.expanded)) throw refuse('is too large: its aliases stand for too much');
  return { documents, places: () => new PlacesOf(text, events) };
}

function parse(
  source: string,
  { schema, json = false, refuse }: BoundedYamlOptions,
): { documents: unknown[]; events: Event[] } {
  try {
    const events = parseEvents(source, { maxDepth: DEPTH_LIMIT });
    return { events, documents: constructFromEvents(events, { source, schema, json }) };
  } catch (cause) {
    if (!(cause instanceof YAMLException)) throw cause;
    const place = cause.mark === undefined ? undefined : { line: cause.mark.line + 1, column: cause.mark.column + 1 };
    throw refuse(`is not YAML: ${cause.reason}`, place, cause);
  }
}

/** Lines, and what begins or separates nodes within one. */
function countNodes(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character === '\n' || character === ',' || character === '[' || character === '{') count++;
    else if ((character === '-' || character === '?') && text[i + 1] === ' ') count++;
  }
  return count;
}

/** Counts what lies behind each alias again, as whoever walks the tree or writes it out will. */
function isSmallTree(root: unknown, limit: number): boolean {
  let left = limit;
  const fits = (value: unknown, depth: number): boolean => {
    left -= typeof value === 'string' ? NODE_COST + value.length : NODE_COST;
    if (left < 0 || depth > EXPANDED_DEPTH_LIMIT) return false;
    if (typeof value !== 'object' || value === null) return true;
    return Object.entries(value).every(([key, member]) => {
      left -= key.length;
      return fits(member, depth + 1);
    });
  };
  return fits(root, 0);
}
