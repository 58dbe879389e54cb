// YAML as the tools of Kubernetes read it (sigs.k8s.io/yaml): several documents in a file, merge keys, YAML 1.1's yes and
// no, the last of equal keys. What is read comes from outside: its size, and what its aliases expand to, are bounded.
import { boolYaml11Tag, CORE_SCHEMA, mergeTag } from 'js-yaml';
import { readBoundedYaml, type YamlLimits } from '../bundle/bounded-yaml.ts';
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

/** The largest index of charts that is accepted. */
const LIMITS: YamlLimits = {
  characters: 32 * 1024 * 1024,
  nodes: 4_000_000,
  expanded: 128 * 1024 * 1024,
};

const SERVED = 'Something else may be served in its place, a page of a proxy perhaps: fetch it by hand and look at it.';

/** Its documents, as trees without cycles; none for an empty text. @throws `origin.code` */
export function readYaml(text: string, origin: Origin): readonly unknown[] {
  const refuse = (why: string, place?: { readonly line: number }, cause?: unknown): AirgapError =>
    invalid(origin, place === undefined ? why : why.replace(': ', `: line ${place.line}: `), cause);
  return readBoundedYaml(text, { schema: SCHEMA, json: true, limits: LIMITS, refuse }).documents;
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
