// Changes of a bundle.json that know what its values mean: names, numbers, types and times at the edges of what the format
// allows, keys and items too many, too few or in another place. What they leave may well be a right bundle.json.
import type { Seeded } from '../../test/support/seeded.ts';
import type { Draft, Json } from './signed-again.ts';

type Table = Record<string, Json>;

const A = (length: number): string => 'a'.repeat(length);

/** By the key that they stand under. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  name: [
    ...[
      'a',
      A(63),
      A(64),
      A(128),
      A(129),
      'a.b',
      '.a',
      'a.',
      'a_b-c',
      'A',
      'A1',
      'a+b',
      'a b',
      'a/b',
      'ä',
      'airgap.lock.yaml',
    ],
    ...['sbom.cdx.json', 'provenance.intoto.json', 'a\n', '', '-a', 'a-', '0', '9.9', 'zz', 'site', 'b\u0000'],
    ...[
      'localhost/x:1',
      'docker.io/library/x:1',
      'docker.io/x:1',
      'index.docker.io/library/x:1',
      'a.b/x__y:1',
      'a.b/x___y:1',
    ],
    ...[
      '[::1]:5000/x:1',
      '[::1]/x:1',
      '[]/x:1',
      'A/x:1',
      'a/x:1',
      'a.b:65535/x:1',
      'a.b:65536/x:1',
      'a.b:0/x:1',
      'a.b:/x:1',
    ],
    ...[
      'a.b:000080/x:1',
      'a.b/x',
      'a.b/x:',
      'a.b/x:.',
      'a.b/x:_',
      `a.b/x:${A(128)}`,
      `a.b/x:${A(129)}`,
      `a.b/${A(255)}:1`,
    ],
    ...[
      `a.b/${A(256)}:1`,
      `${A(259)}.b/x:1`,
      `${A(260)}.b/x:1`,
      'a.b/x--y:1',
      'a.b/x.-y:1',
      'a.b/x/y/z:V1',
      'a.b/X:1',
      'a..b/x:1',
    ],
    ...[
      '-a.b/x:1',
      'a-.b/x:1',
      'a.b-/x:1',
      'a.b//x:1',
      'a.b/x/:1',
      `a.b/x:1@sha256:${A(64)}`,
      'a.b/x:1\n',
      'docker.io/a/b:1',
      'ab:1',
      'A.b/x:1',
      'LOCALHOST/x:1',
      'Localhost:1/x:1',
      'registry-1.docker.io/a/b:1',
      '[FE80::1]/x:1',
      'DOCKER.io/a/b:1',
      'index.docker.io:443/a:1',
    ],
  ],
  mediaType: [
    ...[
      'a/b',
      'a/b;c',
      'a/b;',
      'a/b; c=d',
      'a',
      'a/',
      '/b',
      'a/b/c',
      `${A(127)}/${A(127)}`,
      `${A(128)}/b`,
      `a/${A(128)}`,
      '+a/b',
    ],
    ...[`a/b;${A(251)}`, `a/b;${A(252)}`, 'a/b;\n', 'a/b c', 'ä/b', "a/b'", 'a!#$&^_.+-/b', 'a/b;ä', 'a/b;"\\', 'A/B'],
  ],
  artifactType: ['', ' ', A(255), A(256), 'x y', 'ä', '\u007f', '~', '\t', '"', '\\', 'a/b'],
  tag: ['a', '_', '.', '-', A(128), A(129), 'A.b-c', 'a:b', '', 'a\n', 'sha256-1.sig'],
  expires: [
    ...[
      '1970-01-01T00:00:00Z',
      '1969-12-31T23:59:59Z',
      '9999-12-31T23:59:59Z',
      '2028-02-29T12:00:00Z',
      '2027-02-29T12:00:00Z',
    ],
    ...[
      '2000-02-29T00:00:00Z',
      '2100-02-29T00:00:00Z',
      '2030-04-31T00:00:00Z',
      '2030-06-30T23:59:60Z',
      '2030-01-01T24:00:00Z',
    ],
    ...[
      '2030-13-01T00:00:00Z',
      '2030-01-01T00:00:00z',
      '2030-01-01',
      '2030-01-01T00:00:00.0Z',
      '٢٠٣٠-01-01T00:00:00Z',
      '',
    ],
    ...[
      '2030-00-10T00:00:00Z',
      '2030-01-00T00:00:00Z',
      '2030-01-01T00:60:00Z',
      '2030-01-01T00:00:00Z\n',
      '0000-01-01T00:00:00Z',
    ],
  ],
  apiVersion: ['eck-airgap/v2', 'eck-airgap/v1 ', '', 'ä'],
  kind: ['Receipt', 'bundleManifest', ''],
  path: [
    'chunks',
    'oci-layout',
    'index.json',
    `blobs/sha256/${A(64)}`,
    `blobs/sha256/${A(63)}`,
    '../x',
    'blobs/sha256/',
    'blobs/sha512/a',
    'Chunks',
  ],
  digest: [
    `sha256:${A(64)}`,
    `sha256:${A(63)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha512:${A(128)}`,
    A(64),
    `sha256:${A(64)}\n`,
    '',
  ],
};
const PLATFORMS = [
  'linux/amd64',
  'linux/arm64',
  'a',
  A(128),
  A(129),
  '',
  'a,b',
  'a b',
  'ä',
  '~',
  '!',
  '"',
  '\\',
  'windows/amd64',
  '\u007f',
];
const NUMBERS = [
  0,
  1,
  -1,
  2,
  15,
  16,
  17,
  0.5,
  1e21,
  1e-7,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  4096,
  4194304,
  4194305,
];
const OTHERS: readonly Json[] = [
  null,
  true,
  false,
  '',
  '0',
  'x',
  0,
  1,
  [],
  {},
  [null],
  [[]],
  { a: 1 },
  [[[[[[]]]]]],
  '\ud800',
  'é',
];
const KEYS = [
  'base',
  'absent',
  'artifact',
  'original',
  'tag',
  'artifactType',
  'expires',
  'note',
  '',
  '__proto__',
  'constructor',
  'name',
  'toString',
];

export const valueChanges: Readonly<Record<string, (draft: Draft, random: Seeded) => void>> = {
  'another text': (draft, random) => replace(draft, random, isText, (text, key) => otherText(text, key, random)),
  'a text edited': (draft, random) => replace(draft, random, isText, (text) => edited(text, random)),
  'another number': (draft, random) => replace(draft, random, isNumber, (number) => otherNumber(number, random)),
  'another kind of value': (draft, random) =>
    replace(
      draft,
      random,
      () => true,
      () => structuredClone(random.pick(OTHERS)),
    ),
  'a key taken out': (draft, random) => {
    const [table, key] = random.pick(
      tablesOf(draft).flatMap((one) => Object.keys(one).map((name) => [one, name] as const)),
    );
    Reflect.deleteProperty(table, key);
  },
  'a key put in': (draft, random) => {
    const table = random.pick(tablesOf(draft));
    const value = random.pick([...OTHERS, ...(TEXTS['tag'] ?? []), ...(TEXTS['expires'] ?? []), table]);
    const key = random.pick(KEYS);
    Object.defineProperty(table, key, {
      value: structuredClone(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  },
  'an item taken out': (draft, random) => withList(draft, random, (list) => list.splice(random.below(list.length), 1)),
  'an item twice': (draft, random) =>
    withList(draft, random, (list) => list.splice(random.below(list.length), 0, structuredClone(random.pick(list)))),
  'items in another order': (draft, random) =>
    withList(draft, random, (list) => list.push(...list.splice(random.below(list.length), 1))),
  'an item from another list': (draft, random) => {
    const from = random.pick(listsOf(draft).filter((list) => list.length > 0));
    random.pick(listsOf(draft)).push(structuredClone(random.pick(from)));
  },
  'many items': (draft, random) =>
    withList(draft, random, (list) => {
      const item = random.pick(list);
      const count = random.pick([99, 100, 101, 1000]);
      for (let i = 0; i < count; i++) list.push(numbered(item, i));
    }),
};

/** Sorts every list as it should be, so that it is not the order that a change is refused for. */
export function putInOrder(draft: Draft): void {
  for (const list of listsOf(draft)) list.sort((a, b) => compare(orderOf(a), orderOf(b)));
}

const OWN = ['airgap.lock.yaml', 'sbom.cdx.json', 'provenance.intoto.json', 'chunks', 'oci-layout', 'index.json'];

function orderOf(item: Json): string {
  if (typeof item === 'string') return item;
  const { path, name, digest } = (isTable(item) ? item : {}) as { path?: Json; name?: Json; digest?: Json };
  const key = JSON.stringify(path ?? name ?? digest ?? '').replace(/^"|"$/g, '');
  const own = OWN.indexOf(key);
  return own < 0 ? `~${key}` : `!${own}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function numbered(item: Json, i: number): Json {
  const more = String(1000 + i);
  if (typeof item === 'string') return item.slice(0, 100) + more;
  return isTable(item) && typeof item['name'] === 'string'
    ? { ...item, name: `${item['name']}${more}` }
    : structuredClone(item);
}

/** Replaces one value of a kind. */
function replace<T extends Json>(
  draft: Draft,
  random: Seeded,
  isKind: (value: Json) => value is T,
  by: (value: T, key: string) => Json,
): void;
function replace(draft: Draft, random: Seeded, isKind: () => boolean, by: () => Json): void;
function replace(
  draft: Draft,
  random: Seeded,
  isKind: (value: Json) => boolean,
  by: (value: never, key: string) => Json,
): void {
  const found = placesOf(draft, '').filter(({ holder, key }) => isKind(holder[key] ?? null));
  if (found.length === 0) return;
  // each list counts as one, or entries and installers would be all that is ever changed
  const { holder, key, name } = random.pick(found);
  holder[key] = by((holder[key] ?? null) as never, name);
}

interface Place {
  readonly holder: Record<string | number, Json>;
  readonly key: string | number;
  /** The key that names the value: that of the list for an item. */
  readonly name: string;
}

function placesOf(value: Json, name: string): Place[] {
  if (Array.isArray(value))
    return value.flatMap((item, i) => [{ holder: value as never, key: i, name }, ...placesOf(item, name)]);
  if (!isTable(value)) return [];
  return Object.keys(value).flatMap((key) => [{ holder: value, key, name: key }, ...placesOf(value[key] ?? null, key)]);
}

function otherText(text: string, key: string, random: Seeded): string {
  if (key === 'platforms') return random.pick(PLATFORMS);
  const pool = TEXTS[key === 'lock' ? 'digest' : key] ?? TEXTS['name'] ?? [];
  return random.pick([...pool, text]);
}

function edited(text: string, random: Seeded): string {
  const at = random.below(text.length + 1);
  const piece = random.pick([
    '',
    'a',
    'A',
    '0',
    '-',
    '.',
    '_',
    '/',
    ':',
    '@',
    ' ',
    '\n',
    '\u0000',
    '"',
    '\\',
    'é',
    '\u{1f4a9}',
    '\ud800',
    '\u2028',
    '+',
    ',',
    ';',
    'z',
  ]);
  return text.slice(0, at) + piece + text.slice(at + random.below(2));
}

function otherNumber(number: number, random: Seeded): number {
  return random.pick([...NUMBERS, number + 1, number - 1, number * 2]);
}

function withList(draft: Draft, random: Seeded, change: (list: Json[]) => unknown): void {
  change(random.pick(listsOf(draft).filter((list) => list.length > 0)));
}

function listsOf(value: Json): Json[][] {
  if (Array.isArray(value)) return [value, ...value.flatMap(listsOf)];
  return isTable(value) ? Object.values(value).flatMap(listsOf) : [];
}

function tablesOf(value: Json): Table[] {
  if (Array.isArray(value)) return value.flatMap(tablesOf);
  return isTable(value) ? [value, ...Object.values(value).flatMap(tablesOf)] : [];
}

function isTable(value: Json): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: Json): value is string {
  return typeof value === 'string';
}

function isNumber(value: Json): value is number {
  return typeof value === 'number';
}
