// A JSON Schema as a list of keys by path: what the reference of a file lists, and what the comments of a new one say.
import type { JsonSchema } from './json-schema.ts';

export interface SchemaKey {
  /** `elastic.eck`, `files[].path`, `mirrors.<host>`. */
  readonly path: string;
  /** For people: `list of version`, `true or version`. */
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
  /** Absent where there is none. */
  readonly default?: unknown;
  readonly examples: readonly unknown[];
}

/** Every key that has a description, in the order of the schema, each before those inside it. */
export function schemaKeys(schema: JsonSchema, path = ''): SchemaKey[] {
  const { properties = {}, required = [], anyOf, items, additionalProperties, propertyNames } = schema;
  return [
    ...Object.entries(properties).flatMap(([key, value]) => {
      const at = path === '' ? key : `${path}.${key}`;
      return schemasOf(value).flatMap((inner) => [
        ...keyOf(inner, at, required.includes(key)),
        ...schemaKeys(inner, at),
      ]);
    }),
    ...schemasOf(anyOf).flatMap((option) => schemaKeys(option, path)),
    ...schemasOf(items).flatMap((item) => schemaKeys(item, `${path}[]`)),
    ...schemasOf(additionalProperties).flatMap((value) => schemaKeys(value, `${path}.<${titleOf(propertyNames)}>`)),
  ];
}

function keyOf(schema: JsonSchema, path: string, required: boolean): SchemaKey[] {
  const { description, examples } = schema;
  if (description === undefined) return [];
  const value = 'default' in schema ? { default: schema.default } : {};
  const shown = Array.isArray(examples) ? (examples as readonly unknown[]) : [];
  return [{ path, type: typeOf(schema), required, description, ...value, examples: shown }];
}

function typeOf(schema: JsonSchema): string {
  const { type, title, anyOf, items, additionalProperties, propertyNames } = schema;
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (anyOf !== undefined) return alternatives(schemasOf(anyOf)).map(typeOf).join(' or ');
  if (type === 'array') return `list of ${schemasOf(items).map(typeOf).join(' or ')}`;
  const [entry] = schemasOf(additionalProperties);
  if (entry !== undefined) return `${titleOf(propertyNames)} to ${typeOf(entry)}`;
  return title ?? String(type);
}

/** Texts that are named one by one beside any text are only offered. */
function alternatives(options: readonly JsonSchema[]): readonly JsonSchema[] {
  const open = options.some(({ type, pattern }) => type === 'string' && pattern === undefined);
  return open ? options.filter((option) => typeof option.const !== 'string') : options;
}

function titleOf(schema: JsonSchema | boolean | undefined): string {
  return (typeof schema === 'object' && schema.title) || 'name';
}

function schemasOf(given: JsonSchema | boolean | undefined | readonly (JsonSchema | boolean)[]): readonly JsonSchema[] {
  const list = Array.isArray(given) ? (given as readonly (JsonSchema | boolean | undefined)[]) : [given as JsonSchema];
  return list.filter((schema) => typeof schema === 'object');
}
