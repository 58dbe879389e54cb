// What editors are told of the files people write: every key has a text, and every example is one that the program takes.
import { describe, expect, test } from 'vitest';
import { catalogueJsonSchema, specJsonSchema, type JsonSchema } from '../../src/build/json-schema.ts';
import { schemaKeys } from '../../src/build/schema-keys.ts';
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import { API_VERSION } from '../../src/bundle/manifest.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { builtInComponents } from '../../src/catalog/built-in-components.ts';
import { flavours } from '../../src/catalog/components.ts';

const keys = schemaKeys(specJsonSchema());
const MINIMAL = {
  apiVersion: API_VERSION,
  kind: 'BundleSpec',
  metadata: { name: 'x' },
  elastic: { eck: '3.5.0', stack: builtInCatalogue.stackReleases.slice(0, 1) },
};

/** Every schema inside, with where it is. */
function inside(schema: unknown, path = '$'): [string, JsonSchema][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const inner = Object.entries(schema).flatMap(([key, value]) => inside(value, `${path}.${key}`));
  return [[path, schema], ...inner];
}

/** Specifications that have the example at the path; in a list or mapping beside what else its entry needs. */
function specsWith(path: string, example: unknown): unknown[] {
  const [first = '', rest] = path.split(/(?:\[\]|\.<[^>]*>)\./);
  if (rest === undefined) return [withValue(first.split('.'), example)];
  const lists = keys.find((key) => key.path === first)?.examples ?? [];
  return [
    ...lists.flatMap((list) => Object.keys(list as object).map((at) => changed(list, at, { [rest]: example }))),
    ...lists.flatMap((list) => Object.keys(list as object).map((at) => replaced(list, at, { [rest]: example }))),
  ].map((value) => withValue(first.split('.'), value));
}

function changed(list: unknown, at: string, entry: object): unknown {
  const old = (list as Record<string, unknown>)[at];
  return replaced(list, at, typeof old === 'object' ? { ...old, ...entry } : entry);
}

function replaced(list: unknown, at: string, entry: object): unknown {
  return Array.isArray(list)
    ? Object.assign([...(list as unknown[])], { [at]: entry })
    : { ...(list as object), [at]: entry };
}

function withValue([key = '', inner]: readonly string[], value: unknown): unknown {
  if (inner === undefined) return { ...MINIMAL, [key]: value };
  return { ...MINIMAL, [key]: { ...((MINIMAL as Record<string, unknown>)[key] as object), [inner]: value } };
}

function isTaken(spec: unknown): boolean {
  try {
    wantedBySpec(parseSpec(JSON.stringify(spec), 'spec'), {});
    return true;
  } catch {
    return false;
  }
}

describe.each([
  ['airgap.yaml', specJsonSchema()],
  ['a catalogue file', catalogueJsonSchema()],
])('the schema of %s', (_file, schema) => {
  const objects = inside(schema).filter(([, { type }]) => type === 'object');

  test('refuses keys that it does not name', () => {
    expect(objects.length).toBeGreaterThan(5);
    const open = objects.filter(([, { additionalProperties: more }]) => more !== false && typeof more !== 'object');
    expect(open.map(([path]) => path)).toEqual([]);
  });

  test('says of every key what it is for', () => {
    const silent = objects.flatMap(([path, { properties = {} }]) =>
      Object.entries(properties)
        // flavours are keys of the same rules
        .filter(
          ([key, value]) => !flavours.some((name) => name === key) && (value as JsonSchema).description === undefined,
        )
        .map(([key]) => `${path}.${key}`),
    );
    expect(silent).toEqual([]);
  });
});

describe('airgap.yaml', () => {
  test('every example of a key is one that can be written there', () => {
    const all = keys.flatMap(({ path, examples }) => examples.map((example) => [path, example] as const));
    expect(all.length).toBeGreaterThan(keys.length / 2);
    expect(all.filter(([path, example]) => !specsWith(path, example).some(isTaken))).toEqual([]);
  });

  test('every default is what the program takes where nothing is written', () => {
    const parsed = parseSpec(JSON.stringify(MINIMAL), 'spec') as unknown as Record<string, unknown>;
    const top = keys.filter((key) => 'default' in key && !/[.[<]/.test(key.path));
    expect(top.length).toBeGreaterThan(3);
    expect(Object.fromEntries(top.map((key) => [key.path, key.default]))).toEqual(
      Object.fromEntries(top.map(({ path }) => [path, parsed[path]])),
    );
    const elastic = keys.filter((key) => 'default' in key && /^elastic\.[a-z]+$/i.test(key.path));
    const { selection } = wantedBySpec(parseSpec(JSON.stringify(MINIMAL), 'spec'), {});
    expect(selection).toMatchObject(
      Object.fromEntries(elastic.map((key) => [key.path.slice('elastic.'.length), key.default])),
    );
  });

  test('offers every component by its title, and takes those of a catalogue file too', () => {
    const elastic = specJsonSchema().properties?.['elastic'] as JsonSchema;
    const { items } = elastic.properties?.['components'] as { items: { anyOf: [{ anyOf: JsonSchema[] }] } };
    const offered = items.anyOf[0].anyOf;
    expect(offered.slice(0, -1)).toEqual(
      builtInComponents.map(({ name, title }) => ({ const: name, description: title })),
    );
    expect(offered.at(-1)).toMatchObject({ type: 'string' });
  });
});
