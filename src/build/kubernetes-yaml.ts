// YAML as the tools of Kubernetes read it (sigs.k8s.io/yaml): several documents in a file, merge keys, YAML 1.1's yes and
// no, the last of equal keys. What is read comes from outside: its size, and what its aliases expand to, are bounded.
import { boolYaml11Tag, CORE_SCHEMA, loadAll, mergeTag, YAMLException } from 'js-yaml';
import { AirgapError } from '../core/errors.ts';

/** Where a text or archive came from, for errors. */
export interface Origin {
  /** Names it in messages. */
  readonly where: string;
  /** What it is when it is wrong: `CONFIG_INVALID` a file of the user's, `MANIFEST_INVALID` what a server sent. */
  readonly code: 'CONFIG_INVALID' | 'MANIFEST_INVALID';
}

export type Table = Readonly<Record<string, unknown>>;

const SCHEMA = CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag);

/** Characters; the largest index of charts that is accepted. */
const TEXT_LIMIT = 32 * 1024 * 1024;
/** The parser needs about 200 bytes for a node. */
const NODE_LIMIT = 4_000_000;
/** Characters, and some for each node, when each alias is taken for what it stands for. */
const EXPANDED_LIMIT = 128 * 1024 * 1024;
const NODE_COST = 16;
const DEPTH_LIMIT = 200;

const SERVED = 'Something else may be served in its place, a page of a proxy perhaps: fetch it by hand and look at it.';

/** Its documents, as trees without cycles; none for an empty text. @throws `origin.code` */
export function readYaml(text: string, origin: Origin): unknown[] {
  if (text.length > TEXT_LIMIT || countNodes(text) > NODE_LIMIT) throw invalid(origin, 'is too large');
  let documents: unknown[];
  try {
    documents = loadAll(text, { schema: SCHEMA, json: true });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const line = error.mark === undefined ? '' : `line ${error.mark.line + 1}: `;
    throw invalid(origin, `is not YAML: ${line}${error.reason}`, error);
  }
  if (!isSmallTree(documents)) throw invalid(origin, 'is too large: its aliases stand for too much');
  return documents;
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key of its own; nothing of a prototype's. */
export function valueOf(table: Table, key: string): unknown {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** What lies behind the keys, one inside the other. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce((at, key) => (isTable(at) ? valueOf(at, key) : undefined), value);
}

/** @param why what is wrong with it, as the rest of a sentence */
export function invalid(origin: Origin, why: string, cause?: unknown): AirgapError {
  return new AirgapError(origin.code, `${origin.where} ${why}`, {
    cause,
    ...(origin.code === 'MANIFEST_INVALID' ? { hint: SERVED } : {}),
  });
}

/** About the nodes that a parser would make, before it does: lines, and what begins or separates nodes within one. */
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
function isSmallTree(root: unknown): boolean {
  let left = EXPANDED_LIMIT;
  const fits = (value: unknown, depth: number): boolean => {
    left -= typeof value === 'string' ? NODE_COST + value.length : NODE_COST;
    if (left < 0 || depth > DEPTH_LIMIT) return false;
    if (typeof value !== 'object' || value === null) return true;
    return Object.entries(value).every(([key, member]) => {
      left -= key.length;
      return fits(member, depth + 1);
    });
  };
  return fits(root, 0);
}
