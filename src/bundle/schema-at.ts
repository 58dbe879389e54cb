// What a schema expects at a path, for messages: the keys that there are, the words that may be written.
import type * as v from 'valibot';

type Path = readonly (string | number)[];

/** As far as it is told by the parts that schemas are made of here. */
interface Part {
  readonly type: string;
  readonly entries?: Readonly<Record<string, Part>>;
  readonly wrapped?: Part;
  readonly item?: Part;
  readonly value?: Part;
  readonly options?: readonly (Part | string)[];
  readonly literal?: unknown;
  readonly title?: unknown;
  /** The part itself, and what is said of it. */
  readonly pipe?: readonly Part[];
}

/** Keys that may stand in the table at the path; none where any may. */
export function keysAt(schema: v.GenericSchema, path: Path): string[] {
  return partsAt(schema, path).flatMap(({ entries = {} }) => Object.keys(entries));
}

/** Texts that may stand there, as far as they are listed. */
export function wordsAt(schema: v.GenericSchema, path: Path): string[] {
  return partsAt(schema, path).flatMap(({ type, options = [], literal }) =>
    type === 'literal'
      ? typeof literal === 'string'
        ? [literal]
        : []
      : options.filter((one) => typeof one === 'string'),
  );
}

/** Whether keys of any name with values are what must stand there. */
export function isRecordAt(schema: v.GenericSchema, path: Path): boolean {
  const parts = partsAt(schema, path);
  return parts.length > 0 && parts.every(({ type }) => type === 'record');
}

/** Titles of what may stand there. */
export function titlesAt(schema: v.GenericSchema, path: Path): string[] {
  return partsAt(schema, path).flatMap(titlesOf);
}

function titlesOf({ title, pipe = [] }: Part): string[] {
  return [...(typeof title === 'string' ? [title] : []), ...pipe.flatMap(titlesOf)];
}

function partsAt(schema: v.GenericSchema, path: Path): Part[] {
  let parts = plain(schema);
  for (const step of path) parts = parts.flatMap((part) => below(part, step)).flatMap(plain);
  return parts;
}

function below({ entries, item, value }: Part, step: string | number): Part[] {
  if (typeof step === 'number') return item === undefined ? [] : [item];
  const found = entries !== undefined && Object.hasOwn(entries, step) ? entries[step] : value;
  return found === undefined ? [] : [found];
}

/** Without what only says that it may be absent, and each member of a union. */
function plain(part: Part): Part[] {
  if (part.wrapped !== undefined) return plain(part.wrapped);
  if (part.type !== 'union') return [part];
  return (part.options ?? []).flatMap((member) => (typeof member === 'string' ? [] : plain(member)));
}
