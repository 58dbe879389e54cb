// The cases that two readers judge: case N of a seed is always the same, but for what a signature draws. Some are right.
import { chunkHashes } from '../../src/core/chunks.ts';
import { digestOf } from '../../src/core/digest.ts';
import type { BundleManifest } from '../../src/bundle/manifest.ts';
import { pack } from '../../test/support/pack.ts';
import { randomImage } from '../../test/support/random-image.ts';
import { seeded, type Seeded } from '../../test/support/seeded.ts';
import { edits } from './edits.ts';
import { assemble, following, signature, slotOf, written, type Draft } from './signed-again.ts';
import { slotChanges, type SigningKeys } from './slot-changes.ts';
import { textChanges } from './text-changes.ts';
import { putInOrder, valueChanges } from './value-changes.ts';
import { cut, filesOf, volumeChanges, type VolumeChange } from './volume-changes.ts';

export interface DifferenceCase {
  readonly number: number;
  readonly kind: string;
  readonly what: string;
  /** By path below a folder; undefined for a folder. */
  readonly files: ReadonlyMap<string, Buffer | undefined>;
  /** What of it is opened. */
  readonly open: string;
  readonly trusted: readonly (keyof SigningKeys)[];
}

type Made = Omit<DifferenceCase, 'number' | 'kind'>;

interface Making {
  readonly subject: DifferenceSubject;
  readonly keys: SigningKeys;
  readonly random: Seeded;
}

export interface DifferenceSubject {
  readonly manifest: BundleManifest;
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** A bundle that has everything that one may have. @param large bytes of a file, in more than one chunk */
export function differenceSubject(large = 0): DifferenceSubject {
  const names = ['a.b/x/one:1', 'docker.io/library/two:2', 'localhost/charts/three:3'];
  const images = Object.fromEntries(names.map((name) => [name, randomImage(name, { layerSize: 100 })]));
  const own = ['sbom.cdx.json', 'provenance.intoto.json', 'b.txt', 'a.txt', 'empty'];
  const files = Object.fromEntries(own.map((name) => [name, Buffer.from(name === 'empty' ? '' : `the file ${name}`)]));
  if (large > 0) files['large.bin'] = Buffer.alloc(large, 7);
  const { manifest, bodies } = pack({ images, artifacts: names.slice(2), files });
  const node = (i: number) => {
    const { digest, size } = manifest.entries[3 + i] ?? { digest: digestOf(Buffer.alloc(0)), size: 0 };
    return { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size };
  };
  const [one, ...others] = manifest.images;
  const accompanying = [{ ...node(1), artifactType: 'application/x', tag: 'sha256-1.sig' }, node(2), node(3)];
  const rich = one && { ...one, original: node(0), platforms: ['linux/amd64', 'linux/arm64'], accompanying };
  const installers = ['eck-airgap-a', 'eck-airgap-b'].map((name) => ({
    name,
    digest: digestOf(Buffer.from(name)),
    size: 9,
  }));
  return {
    manifest: {
      ...manifest,
      images: rich ? [rich, ...others] : [],
      installers,
      sequence: 7,
      expires: '2030-12-31T23:59:59Z',
    },
    blobs: new Map([...bodies].filter(([path]) => path.startsWith('blobs/'))),
  };
}

/** Of twenty cases, so many. */
const KINDS: readonly (readonly [kind: string, weight: number, make: (making: Making) => Made])[] = [
  ['values of bundle.json, signed again', 8, byValues],
  ['bytes of bundle.json, signed again', 3, byText],
  ['signatures', 3, bySlots],
  ['chunk table, signed again', 1, byTable],
  ['bytes anywhere', 2, byBytes],
  ['volumes', 2, byVolumes],
  ['unpacked, and what lies beside', 1, byFolder],
];
const TURNS = KINDS.flatMap((kind) => Array.from({ length: kind[1] }, () => kind));
export const DIFFERENCE_KINDS = KINDS.map(([kind]) => kind);

export function differenceCase(from: Omit<Making, 'random'>, seed: number, number: number): DifferenceCase {
  const random = seeded(seed, number);
  const [kind, , make] = TURNS[number % TURNS.length] ?? random.pick(KINDS);
  return { number, kind, ...make({ ...from, random }) };
}

function draftOf({ manifest }: DifferenceSubject): Draft {
  return structuredClone(manifest);
}

function byValues({ subject, keys, random }: Making): Made {
  const draft = draftOf(subject);
  const names = Array.from({ length: random.pick([1, 1, 1, 2]) }, () => random.pick(Object.keys(valueChanges)));
  for (const name of names) valueChanges[name]?.(draft, random);
  const inOrder = random.below(2) === 0;
  try {
    if (inOrder) putInOrder(draft);
    return { what: `${names.join(', ')}${inOrder ? ', in order' : ''}`, ...signedTar(subject, draft, keys) };
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return { what: `${names.join(', ')}, past mending`, ...signedText(subject, written(draft), keys) };
  }
}

function signedTar(subject: DifferenceSubject, draft: Draft, keys: SigningKeys): Omit<Made, 'what'> {
  const bodies = following(draft, subject.blobs);
  const json = written(draft);
  const listed = draft.entries.map(
    ({ path, size }) => [path, bodies.get(path) ?? Buffer.alloc(Math.min(size, 4096))] as const,
  );
  return oneTar(
    json,
    Array.from({ length: Math.min(draft.signatureSlots, 20) }, () => slotBy(keys, json)),
    listed,
  );
}

function signedText(subject: DifferenceSubject, json: Buffer, keys: SigningKeys): Omit<Made, 'what'> {
  const draft = draftOf(subject);
  const bodies = following(draft, subject.blobs);
  return oneTar(
    json,
    [slotBy(keys, json)],
    draft.entries.map(({ path }) => [path, bodies.get(path) ?? Buffer.alloc(0)] as const),
  );
}

function oneTar(
  json: Buffer,
  slots: readonly Buffer[],
  bodies: readonly (readonly [string, Buffer])[],
): Omit<Made, 'what'> {
  return { files: new Map([['site.tar', assemble({ json, slots, bodies })]]), open: 'site.tar', trusted: ['ecdsa'] };
}

function slotBy({ ecdsa }: SigningKeys, json: Buffer): Buffer {
  return slotOf(signature(ecdsa, json).toString('base64'));
}

function byText({ subject, keys, random }: Making): Made {
  const draft = draftOf(subject);
  following(draft, subject.blobs);
  const what = random.pick(Object.keys(textChanges));
  const text = textChanges[what]?.(written(draft).toString(), random) ?? '';
  const json = random.below(20) === 0 ? Buffer.concat([Buffer.from(text), Buffer.from([0xc3])]) : Buffer.from(text);
  return { what, ...signedText(subject, json, keys) };
}

function bySlots({ subject, keys, random }: Making): Made {
  const what = random.pick(Object.keys(slotChanges));
  const draft = draftOf(subject);
  const bodies = following(draft, subject.blobs);
  const unsaid = slotChanges[what]?.(Buffer.alloc(0), keys, seeded(random.below(2 ** 31))) ?? {
    slots: [],
    trusted: [],
  };
  draft.signatureSlots = Math.max(1, Math.min(16, unsaid.slots.length));
  const json = written(draft);
  // the number of slots is drawn first, since bundle.json says it
  let made = unsaid;
  for (let tries = 0; tries < 200; tries++) {
    made = slotChanges[what]?.(json, keys, random) ?? unsaid;
    if (made.slots.length === unsaid.slots.length || random.below(50) === 0) break;
  }
  const listed = draft.entries.map(({ path }) => [path, bodies.get(path) ?? Buffer.alloc(0)] as const);
  return { what, ...oneTar(json, made.slots, listed), trusted: made.trusted };
}

function byTable({ subject, keys, random }: Making): Made {
  const draft = draftOf(subject);
  const bodies = following(draft, subject.blobs);
  const table = Buffer.from(bodies.get('chunks') ?? Buffer.alloc(0));
  const [a, b] = [32 * random.below(table.length / 32), 32 * random.below(table.length / 32)];
  const tables: Readonly<Record<string, () => Buffer>> = {
    'a hash changed': () => Buffer.concat([table.subarray(0, a), random.bytes(32), table.subarray(a + 32)]),
    'two hashes changed places': () => {
      const swapped = Buffer.from(table);
      table.copy(swapped, a, b, b + 32);
      table.copy(swapped, b, a, a + 32);
      return swapped;
    },
    'a hash too many': () => Buffer.concat([table, random.pick([table.subarray(a, a + 32), Buffer.alloc(32)])]),
    'a hash too few': () => table.subarray(0, -random.pick([1, 32, 33])),
    'another body with its hash': () => {
      // the chunk that the hash is of: the table says nothing of it that is not so, but bundle.json does
      const [path, body] = random.pick([...subject.blobs].filter(([, bytes]) => bytes.length > 0));
      const other = Buffer.concat([body.subarray(1), random.bytes(1)]);
      bodies.set(path, other);
      return Buffer.concat(draft.entries.slice(1).map((one) => chunkHashes(bodies.get(one.path) ?? Buffer.alloc(0))));
    },
    'as it is': () => table,
  };
  const what = random.pick(Object.keys(tables));
  const changed = tables[what]?.();
  const [entry] = draft.entries;
  if (entry && changed) Object.assign(entry, { size: changed.byteLength, digest: digestOf(changed) });
  const json = written(draft);
  const listed = draft.entries.map(
    ({ path }) => [path, (path === 'chunks' ? changed : bodies.get(path)) ?? Buffer.alloc(0)] as const,
  );
  return { what, ...oneTar(json, [slotBy(keys, json)], listed) };
}

function whole({ subject, keys }: Pick<Making, 'subject' | 'keys'>, name = 'site'): Buffer {
  const made = signedTar(subject, { ...draftOf(subject), name }, keys);
  return [...made.files.values()][0] ?? Buffer.alloc(0);
}

function byBytes(making: Making): Made {
  const { random } = making;
  const bytes = whole(making);
  const [what, edit] = random.pick(Object.entries(edits));
  const block = 512 * random.below(bytes.byteLength / 512);
  const span = random.pick([
    { start: 0, size: bytes.byteLength },
    { start: block, size: 512 },
    { start: bytes.byteLength - 1024, size: 1024 },
  ]);
  return {
    what,
    files: new Map([['site.tar', edit(bytes, span, random)]]),
    open: random.pick(['site.tar', '']),
    trusted: ['ecdsa'],
  };
}

function byVolumes(making: Making): Made {
  const { random } = making;
  const [bytes, other] = [whole(making), whole(making, 'other')];
  const size = random.between(Math.ceil(bytes.byteLength / 12), Math.ceil(bytes.byteLength / 2));
  const set = { volumes: cut(bytes, size), other: cut(other, size) };
  const [what, change] = random.pick([...Object.entries(volumeChanges), ...Object.entries(moreVolumeChanges)]);
  const files = new Map<string, Buffer | undefined>();
  for (const [path, part] of change(set, random)) files.set(path.replace('more/', random.pick(['', 'more/'])), part);
  const there = [...files.keys()].filter((path) => !path.includes('/'));
  return { what, files, open: random.pick(['', ...there]), trusted: ['ecdsa'] };
}

const moreVolumeChanges: Readonly<Record<string, VolumeChange>> = {
  whole: ({ volumes }) => filesOf(volumes),
  'numbers with more zeros': ({ volumes }) =>
    new Map(volumes.map((bytes, i) => [`site.tar.${String(i + 1).padStart(5, '0')}`, bytes])),
  'an empty one at the end': ({ volumes }) => filesOf([...volumes, Buffer.alloc(0)]),
  'only one, with all in it': ({ volumes }) => filesOf([Buffer.concat(volumes)]),
  'only the first': ({ volumes }) => filesOf(volumes.slice(0, 1)),
  'and the tar, too': ({ volumes }) => filesOf(volumes).set('site.tar', Buffer.concat(volumes)),
  'hidden copies beside': ({ volumes }) =>
    new Map([...filesOf(volumes)].flatMap(([name, bytes]) => ['', '._'].map((before) => [before + name, bytes]))),
  'another bundle beside': ({ volumes, other }) => filesOf(volumes).set('other.tar', Buffer.concat(other)),
};

function byFolder(making: Making): Made {
  const { subject, keys, random } = making;
  const draft = draftOf(subject);
  const bodies = following(draft, subject.blobs);
  const json = written(draft);
  const listed = draft.entries.map(({ path }) => [path, bodies.get(path) ?? Buffer.alloc(0)] as const);
  const slots = [['bundle.json.sig', slotBy(keys, json)] as const];
  const files = new Map<string, Buffer | undefined>([['bundle.json', json], ...slots, ...listed]);
  const what = random.pick(Object.keys(folderChanges));
  folderChanges[what]?.(files, random, making);
  const open = random.pick([
    '',
    '',
    '',
    ...['site.tar', 'README.txt', 'old.tar', 'carried'].filter((name) => files.has(name)),
  ]);
  return { what, files, open, trusted: ['ecdsa'] };
}

const folderChanges: Readonly<
  Record<string, (files: Map<string, Buffer | undefined>, random: Seeded, making: Making) => void>
> = {
  'as it is': () => undefined,
  'a file is missing': (files, random) => files.delete(random.pick([...files.keys()])),
  'a file is longer': (files, random) => {
    const name = random.pick([...files.keys()]);
    files.set(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), Buffer.alloc(1)]));
  },
  'a file is shorter': (files, random) => {
    const name = random.pick([...files.keys()]);
    files.set(name, files.get(name)?.subarray(1));
  },
  'a byte differs': (files, random) => {
    const name = random.pick([...files.keys()]);
    const bytes = Buffer.from(files.get(name) ?? Buffer.alloc(0));
    if (bytes.length > 0) bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    files.set(name, bytes);
  },
  'a folder for a file': (files, random) => files.set(random.pick([...files.keys()]), undefined),
  'a slot more': (files) => files.set('bundle.json.1.sig', files.get('bundle.json.sig')),
  'a slot after a gap': (files) => files.set('bundle.json.2.sig', files.get('bundle.json.sig')),
  'something else beside': (files) =>
    files.set('README.txt', Buffer.from('read me')).set('.hidden.tar', Buffer.from('x')),
  'a tar beside': (files, _, making) => files.set('site.tar', whole(making)),
  'a folder old.tar beside': (files) => files.set('old.tar', undefined),
  'a tar alone, and a folder': (files, _, making) => {
    files.clear();
    files.set('site.tar', whole(making)).set('old.tar', undefined).set('._site.tar', Buffer.from('\0\x05\x16\x07'));
  },
  'a tar of another name': (files, _, making) => {
    files.clear();
    files.set('carried', whole(making)).set('README.txt', Buffer.from('read me'));
  },
};
