// Reading the YAML documents that people write or review (airgap.yaml, the lock): strict, and with every fault of the
// file named at once, by line, path, expected and found.
import { CORE_SCHEMA } from 'js-yaml';
import * as v from 'valibot';
import { AirgapError } from '../core/errors.ts';
import { holdThread } from '../core/held-thread.ts';
import { didYouMean } from '../core/similar.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { readBoundedYaml, type YamlLimits } from './bounded-yaml.ts';
import { isRecordAt, keysAt, titlesAt, wordsAt } from './schema-at.ts';
import type { Place, PlacesOf } from './yaml-places.ts';

/** A document people write is never larger. */
export const DOCUMENT_LIMIT = 16 * 1024 * 1024;

/** A lock of ten thousand images has fewer nodes. */
const LIMITS: YamlLimits = { characters: DOCUMENT_LIMIT, nodes: 500_000, expanded: 32 * 1024 * 1024 };

const SHOWN_FAULTS = 10;
/** In details. */
const NAMED_FAULTS = 100;

/** For people, by the `kind` that they have. */
const KINDS: Readonly<Record<string, string>> = {
  BundleSpec: 'airgap.yaml, which says what to carry',
  Lock: 'airgap.lock.yaml, which "eck-airgap lock" makes of airgap.yaml',
  Catalogue: 'a catalogue file, which airgap.yaml names under "elastic", "catalogue"',
};

/**
 * Parses YAML 1.2 (core schema; no duplicate keys, no custom tags) of the given schema.
 * @param where names the file in messages
 * @throws CONFIG_INVALID with a line for each fault
 */
export function parseDocument<S extends v.GenericSchema>(schema: S, text: string, where: string): v.InferOutput<S> {
  return holdThread(() => checkedDocument(schema, text, where));
}

function checkedDocument<S extends v.GenericSchema>(schema: S, text: string, where: string): v.InferOutput<S> {
  const { documents, places } = readBoundedYaml(text, { schema: CORE_SCHEMA, limits: LIMITS, refuse: refusing(where) });
  if (documents.length !== 1)
    throw refusing(where)(
      documents.length === 0 ? 'is empty' : `holds ${documents.length} documents, and one is expected`,
    );
  const [document] = documents;
  requireKind(schema, document, where);
  const result = v.safeParse(schema, document);
  const lists = listsForKeys(schema, document);
  if (result.success && lists.length === 0) return result.output;
  throw notValid(describeAll([...lists, ...faultsIn(result.issues, schema)], { schema, places: places() }), where);
}

/** @param faults each with its path, in the order in which they are shown */
export function notValid(faults: readonly string[], where: string): AirgapError {
  const more = faults.length > SHOWN_FAULTS ? [`and ${faults.length - SHOWN_FAULTS} more`] : [];
  const shown = [...faults.slice(0, SHOWN_FAULTS), ...more].join('; ');
  return new AirgapError('CONFIG_INVALID', `${where} is not valid: ${shown}`, { details: { file: where, faults } });
}

/** A key as people see it: what it is for, and what else editors show and docs list of it (JSON Schema keywords). */
export function described<S extends v.GenericSchema>(
  schema: S,
  description: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  return v.pipe(schema, v.metadata({ description, ...more }));
}

function refusing(where: string) {
  return (why: string, place?: Place, cause?: unknown): AirgapError =>
    new AirgapError('CONFIG_INVALID', `${where}${place === undefined ? '' : `, ${describePlace(place)}`} ${why}`, {
      cause,
    });
}

/** One file of ours in the place of another has a fault in every line; what counts is which it is. */
function requireKind(schema: v.GenericSchema, document: unknown, where: string): void {
  if (typeof document !== 'object' || document === null || !('kind' in document)) return;
  const [expected = ''] = wordsAt(schema, ['kind']);
  const { kind } = document;
  if (typeof kind !== 'string' || kind === expected || !Object.hasOwn(KINDS, kind)) return;
  throw new AirgapError('CONFIG_INVALID', `${where} has the kind ${kind}, and ${expected} is expected`, {
    hint: `It is ${KINDS[kind] ?? ''}. Name ${KINDS[expected] ?? expected}.`,
    details: { file: where, expected, found: kind },
  });
}

type Issue = v.BaseIssue<unknown>;
type Path = readonly (string | number)[];

interface Fault extends Partial<Pick<Issue, 'kind' | 'type' | 'message' | 'input'>> {
  readonly expected: string | null;
  readonly received: string;
  readonly path: Path;
  /** What the last key of the path lies in. */
  readonly table?: object | undefined;
}

interface Described {
  readonly schema: v.GenericSchema;
  readonly places: PlacesOf;
}

/** To the validator, a list is keys from 0 on. */
function listsForKeys(schema: v.GenericSchema, document: unknown): Fault[] {
  return Object.entries(document ?? {})
    .filter(([key, value]) => Array.isArray(value) && isRecordAt(schema, [key]))
    .map(([key]) => ({ expected: 'Object', received: 'Array', path: [key] }));
}

/** The validator names the first unknown key of a table only; all are worth naming. */
function faultsIn(issues: readonly Issue[] = [], schema: v.GenericSchema): Fault[] {
  return issues
    .flatMap((issue) => expand(issue))
    .flatMap((fault) => {
      const [above, table] = [fault.path.slice(0, -1), fault.table];
      if (fault.expected !== 'never' || table === undefined) return [fault];
      const known = keysAt(schema, above);
      const unknown = Object.keys(table).filter((key) => !known.includes(key));
      return unknown.map((key) => ({ ...fault, path: [...above, key] }));
    });
}

/** In the order of the text. */
function describeAll(all: readonly Fault[], context: Described): string[] {
  const faults = all.slice(0, NAMED_FAULTS);
  return faults
    .map((fault) => ({ text: describe(fault, context), place: placeOf(fault, context) }))
    .sort((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0))
    .map(({ text, place }) => (place === undefined ? text : `${describePlace(place)}: ${text}`));
}

/** A union's own issue says only that nothing fitted; the faults inside the member that was meant say what is wrong. */
function expand(issue: Issue, above: Path = []): Fault[] {
  const path = [...above, ...(issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))];
  const inner = issue.type === 'union' ? (issue.issues ?? []).filter((member) => member.path !== undefined) : [];
  if (inner.length > 0) return inner.flatMap((member) => expand(member, path));
  const { kind, type, message, input, expected, received } = issue;
  const table = issue.path?.at(-1)?.input;
  return [
    {
      kind,
      type,
      message,
      input,
      expected,
      received,
      path,
      table: typeof table === 'object' && table !== null ? table : undefined,
    },
  ];
}

function placeOf({ expected, path }: Fault, { places }: Described): Place | undefined {
  return expected === 'never' ? places.ofKey(path) : places.ofValue(path);
}

function describePlace({ line, column }: Place): string {
  return `line ${line}, column ${column}`;
}

function describe(fault: Fault, context: Described): string {
  const { path } = fault;
  const where =
    path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('') || 'document';
  if (fault.expected === 'never')
    return `${where}: unknown key${didYouMean(String(path.at(-1)), keysAt(context.schema, path.slice(0, -1)))}`;
  if (fault.type === 'raw_transform') return `${where}: ${fault.message ?? ''}`;
  const expected = inWords(fault.expected ?? 'another value');
  if (fault.received === 'undefined') return `${where}: expected ${expected}, found nothing`;
  const found = withoutUrlSecrets(fault.received).slice(0, 100);
  return fault.kind === 'validation' || fault.type === 'custom'
    ? `${where}: ${found} ${fault.message ?? ''}`
    : `${where}: expected ${expected}, found ${foundInWords(found)}${suggestion(fault, context)}`;
}

function suggestion({ input, path }: Fault, { schema, places }: Described): string {
  const words = wordsAt(schema, path);
  if (typeof input === 'string') return words.length > 1 ? didYouMean(input, words) : '';
  if (typeof input !== 'number') return '';
  const written = places.written(path) ?? String(input);
  return /^[0-9]+\.[0-9]+$/.test(written) && titlesAt(schema, path).includes('version')
    ? ` (YAML takes it for a number; a version has three parts: ${written}.0)`
    : `; write ${JSON.stringify(written)}, in quotes`;
}

/** The names that types have in YAML, in place of those that they have here. */
function inWords(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    Array: 'a list',
    Object: 'keys with values',
    string: 'text',
    number: 'a number',
    boolean: 'true or false',
  };
  return expected
    .replace(/^\((.*)\)$/, '$1')
    .replaceAll(' | ', ' or ')
    .replace(/\b(?:Array|Object|string|number|boolean)\b(?!")/g, (word) => words[word] ?? word);
}

function foundInWords(found: string): string {
  if (found === 'null') return 'nothing';
  if (found === 'Array' || found === 'Object') return inWords(found);
  return /^[-0-9.]/.test(found) ? `the number ${found}` : found;
}
