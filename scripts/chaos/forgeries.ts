// Changes that know the format: they keep up what a reader might look at, and change something else. Each answers the whole
// file.
import { chunkHashes } from '../../src/core/chunks.ts';
import { encodeSlot, SLOT_SIZE } from '../../src/bundle/slots.ts';
import { BLOCK, TRAILER_SIZE } from '../../src/bundle/tar.ts';
import type { RegionKind } from '../../test/support/regions.ts';
import type { Seeded } from '../../test/support/seeded.ts';
import { edits, spliced } from './edits.ts';
import { bodyOf, entrySpan, forge, regionsOfKind, tarEntry, trailerStart, type Subject } from './subject.ts';

export type Forgery = (subject: Subject, random: Seeded) => Buffer;

const PATHS = ['index.json', 'oci-layout', 'bundle.json', 'bundle.json.sig', 'bundle.json.1.sig', 'chunks'];
const ESCAPES = ['../../escape', '/tmp/escape', 'blobs/sha256/../../../escape', 'C:\\escape', './index.json'];

/** Fields of a tar header, by offset. */
const FIELDS: readonly (readonly [name: string, offset: number, length: number, values: readonly string[]])[] = [
  ['path', 0, 100, [...PATHS, ...ESCAPES, '', 'x'.repeat(100)]],
  ['mode', 100, 8, ['0000777\0', '0004755\0', '']],
  ['owner', 108, 8, ['0001750\0', '       \0']],
  ['time', 136, 12, ['14711111111\0', '77777777777\0']],
  ['type', 156, 1, ['1', '2', '5', '6', 'L', 'x', 'g', '\0', 'S']],
  ['link', 157, 100, ['/etc/passwd', '../../escape']],
  ['magic', 257, 8, ['ustar\x0000', '']],
  ['prefix', 345, 155, ['..', '/']],
];

/** Of the size field: plain octal, base-256 and negative numbers, and no numbers at all. */
const SIZES = [
  '00000000000\0',
  '00000000001\0',
  '00000001000\0',
  '77777777777\0',
  '00400000000\0',
  '\x80\0\0\0\0\0\0\0\0\0\x10\0',
  '\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff',
  '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\x00',
  '-0000001000\0',
  '           \0',
  '0000001000 \0',
  '000000010000',
  '0x000000100\0',
];

export const forgeries: Readonly<Record<RegionKind, Readonly<Record<string, Forgery>>>> = {
  manifest: {
    'rewritten, with its header': (subject, random) =>
      withManifest(subject, Buffer.from(random.pick(REWRITES)(subject, random))),
    'changed, with its header': (subject, random) => {
      const body = manifestBytes(subject);
      const edit = random.pick(Object.values(edits));
      return withManifest(subject, edit(body, { start: 0, size: body.byteLength }, random));
    },
    'signed by a forger': (subject, random) => {
      const bytes = Buffer.from(random.pick(REWRITES)(subject, random));
      return withManifest(withSlot(subject, forge(subject, bytes)), bytes);
    },
    'that of another bundle': ({ other, ...subject }) => withManifest(subject, manifestBytes(other)),
    'that of another bundle, with its signature': ({ other, ...subject }) => {
      const [body, slot] = other.geometry.frames.map((frame) => bodyOf(other, frame));
      return withManifest(withSlot(subject, slot?.toString('latin1').trimEnd() ?? ''), body ?? Buffer.alloc(0));
    },
  },
  signature: {
    'by another key': (subject) => withSlot(subject, forge(subject, manifestBytes(subject))).bytes,
    'of another bundle': (subject) =>
      withSlot(subject, bodyOf(subject.other, slotFrame(subject.other)).toString('latin1').trimEnd()).bytes,
    none: (subject) => withSlot(subject, '').bytes,
    'written in another way': (subject, random) =>
      withSlot(subject, random.pick(SPELLINGS)(signatureText(subject))).bytes,
    'another slot': (subject, random) => {
      const slot = tarEntry('bundle.json.1.sig', encodeSlot(random.pick([signatureText(subject), ''])));
      return spliced(subject.bytes, { start: entryEnd(subject), size: 0 }, slot);
    },
  },
  header: {
    'a size field': (subject, random) =>
      withField(subject, random, { offset: 124, value: random.pick(SIZES), length: 12 }),
    'a field': (subject, random) => {
      const [, offset, length, values] = random.pick(FIELDS);
      return withField(subject, random, { offset, length, value: random.pick(values) });
    },
    'a second entry of the name': (subject, random) => withEntry(subject, random, random.pick(PATHS)),
    'an entry that leads elsewhere': (subject, random) => withEntry(subject, random, random.pick(ESCAPES)),
    'an entry dropped': (subject, random) =>
      spliced(subject.bytes, entrySpan(random.pick(subject.geometry.frames)), Buffer.alloc(0)),
    'two entries in the other order': (subject, random) => {
      const { frames } = subject.geometry;
      const at = random.below(frames.length - 1);
      const [first, second] = frames.slice(at, at + 2).map(entrySpan);
      if (!first || !second) throw new Error('there are not two entries');
      const cut = ({ start, size }: { start: number; size: number }): Buffer =>
        subject.bytes.subarray(start, start + size);
      const both = { start: first.start, size: first.size + second.size };
      return spliced(subject.bytes, both, Buffer.concat([cut(second), cut(first)]));
    },
  },
  padding: {
    filled: (subject, random) => {
      const padding = random.pick(regionsOfKind(subject, 'padding'));
      return spliced(subject.bytes, padding, Buffer.alloc(padding.size, random.between(1, 255)));
    },
    'a block more of it': (subject, random) => {
      const { start } = random.pick(regionsOfKind(subject, 'padding'));
      return spliced(subject.bytes, { start, size: 0 }, Buffer.alloc(BLOCK));
    },
  },
  body: {
    'replaced by as many other bytes': (subject, random) => {
      const body = random.pick(regionsOfKind(subject, 'body'));
      return spliced(subject.bytes, body, random.bytes(body.size));
    },
    'changed, with its chunk hash': (subject, random) => {
      const [chunks, ...bodies] = regionsOfKind(subject, 'body');
      if (!chunks) throw new Error('there is no chunk table');
      const changed = edits['a byte changed'](subject.bytes, random.pick(bodies), random);
      const table = bodies.map(({ start, size }) => chunkHashes(changed.subarray(start, start + size)));
      return spliced(changed, chunks, Buffer.concat(table));
    },
  },
  trailer: {
    'itself appended': ({ bytes }) => Buffer.concat([bytes, bytes]),
    'another bundle appended': ({ bytes, other }) => Buffer.concat([bytes, other.bytes]),
    'another bundle in its place': (subject) =>
      Buffer.concat([subject.bytes.subarray(0, trailerStart(subject)), subject.other.bytes]),
    'an entry appended': ({ bytes }, random) =>
      Buffer.concat([bytes, tarEntry(random.pick(PATHS), random.bytes(30)), Buffer.alloc(TRAILER_SIZE)]),
    'an entry before it': (subject, random) =>
      spliced(subject.bytes, { start: trailerStart(subject), size: 0 }, tarEntry(random.pick(PATHS), random.bytes(30))),
    'blocks of zeros appended': ({ bytes }, random) =>
      Buffer.concat([bytes, Buffer.alloc(BLOCK * random.between(1, 20))]),
    'bytes appended': ({ bytes }, random) => Buffer.concat([bytes, random.bytes(random.between(1, 1500))]),
    'left out': (subject) => Buffer.from(subject.bytes.subarray(0, trailerStart(subject))),
  },
};

type Front = Pick<Subject, 'bytes' | 'geometry' | 'manifest'>;

/** The document says something else, or the same in another way. */
const REWRITES: readonly ((subject: Subject, random: Seeded) => string)[] = [
  ({ manifest }) => JSON.stringify(manifest, null, 2),
  ({ manifest }) => `${JSON.stringify(manifest)}\n`,
  ({ manifest }) => JSON.stringify(Object.fromEntries(Object.entries(manifest).toReversed())),
  ({ manifest }) => JSON.stringify({ ...manifest, unknown: true }),
  ({ manifest }) => JSON.stringify(manifest).replace('{', '{"__proto__":{"name":"other"},'),
  ({ manifest }) => JSON.stringify(manifest).replace('{', '{"name":"other",'),
  ({ manifest }) => JSON.stringify({ ...manifest, sequence: manifest.sequence + 1 }),
  ({ manifest }) => JSON.stringify({ ...manifest, signatureSlots: manifest.signatureSlots + 1 }),
  ({ manifest }) => JSON.stringify({ ...manifest, images: [] }),
  ({ manifest }, random) => {
    const entries = [...manifest.entries];
    entries.splice(random.below(entries.length), 1);
    return JSON.stringify({ ...manifest, entries });
  },
  ({ manifest }, random) => {
    const at = random.below(manifest.entries.length);
    const entries = manifest.entries.map((entry, i) => (i === at ? { ...entry, size: entry.size + 1 } : entry));
    return JSON.stringify({ ...manifest, entries });
  },
  ({ manifest }, random) => {
    const at = random.below(manifest.entries.length);
    const digest = `sha256:${random.bytes(32).toString('hex')}`;
    const entries = manifest.entries.map((entry, i) => (i === at ? { ...entry, digest } : entry));
    return JSON.stringify({ ...manifest, entries });
  },
];

/** The same signature, not as it is written. */
const SPELLINGS: readonly ((signature: string) => string)[] = [
  (signature) => ` ${signature}`,
  (signature) => `\n${signature}`,
  (signature) => `${signature}\r`,
  (signature) => `${signature} `,
  (signature) => `${signature}\n${signature}`,
  (signature) => signature.replace(/=*$/, ''),
  (signature) => `${signature}=`,
  (signature) => signature.replaceAll('+', '-').replaceAll('/', '_').replace(/=*$/, '.'),
  (signature) => Buffer.concat([Buffer.from(signature, 'base64'), Buffer.alloc(1)]).toString('base64'),
  (signature) => Buffer.from(signature, 'base64').toString('hex'),
  (signature) => `${signature.slice(0, 64)}\n${signature.slice(64)}`,
];

function manifestBytes({ bytes, geometry }: Front): Buffer {
  const [frame] = geometry.frames;
  if (!frame) throw new Error('there is no bundle.json');
  return bytes.subarray(frame.offset, frame.offset + frame.size);
}

function slotFrame({ geometry }: Front): Subject['geometry']['frames'][number] {
  const frame = geometry.frames[1];
  if (!frame) throw new Error('there is no signature slot');
  return frame;
}

function signatureText(subject: Subject): string {
  return bodyOf(subject, slotFrame(subject)).toString('latin1').trimEnd();
}

/** Another bundle.json, with the header and the padding that it needs. */
function withManifest(front: Front, manifest: Uint8Array): Buffer {
  const rest = front.bytes.subarray(slotFrame(front).offset - BLOCK);
  return Buffer.concat([tarEntry('bundle.json', manifest), rest]);
}

function withSlot<S extends Front>(subject: S, text: string): S {
  const slot = Buffer.from(text.slice(0, SLOT_SIZE).padEnd(SLOT_SIZE, '\n'), 'latin1');
  return { ...subject, bytes: spliced(subject.bytes, { start: slotFrame(subject).offset, size: SLOT_SIZE }, slot) };
}

function entryEnd(subject: Subject): number {
  const { start, size } = entrySpan(slotFrame(subject));
  return start + size;
}

interface Field {
  readonly offset: number;
  readonly length: number;
  readonly value: string;
}

/** In a random header, every second time with the checksum that goes with it. */
function withField(subject: Subject, random: Seeded, { offset, length, value }: Field): Buffer {
  const { start } = random.pick(regionsOfKind(subject, 'header'));
  const header = Buffer.from(subject.bytes.subarray(start, start + BLOCK));
  header.fill(0, offset, offset + length).write(value, offset, length, 'latin1');
  if (random.below(2) === 0) {
    header.write('        ', 148, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return spliced(subject.bytes, { start, size: BLOCK }, header);
}

/** An entry more, before a random one. */
function withEntry(subject: Subject, random: Seeded, path: string): Buffer {
  const { start } = random.pick([...regionsOfKind(subject, 'header'), ...regionsOfKind(subject, 'trailer')]);
  return spliced(subject.bytes, { start, size: 0 }, tarEntry(path, random.bytes(random.between(0, 700))));
}
