// What can happen to bytes: each edit changes something at a random place of a span, and leaves the rest of the file as it is.
import type { Seeded } from '../../test/support/seeded.ts';

export interface Span {
  readonly start: number;
  readonly size: number;
}

/** Answers the whole file, in new memory. What it draws may happen to change nothing: a run of zeros over zeros. */
export type Edit = (file: Buffer, span: Span, random: Seeded) => Buffer;

/** Lengths at which tar readers stumble. */
const LENGTHS = [1, 2, 511, 512, 513, 1024] as const;

export const edits = {
  'a bit flipped': (file, span, random) => replaced(file, place(span, random), (byte) => byte ^ (1 << random.below(8))),
  'a byte changed': (file, span, random) =>
    replaced(file, place(span, random), (byte) => byte ^ random.between(1, 255)),
  'a run overwritten': (file, span, random) => {
    const { start, size } = part(span, random, 64);
    return spliced(file, { start, size }, random.bytes(size));
  },
  'a run zeroed': (file, span, random) => {
    const run = part(span, random);
    return spliced(file, run, Buffer.alloc(run.size));
  },
  'a run set to 0xff': (file, span, random) => {
    const run = part(span, random);
    return spliced(file, run, Buffer.alloc(run.size, 0xff));
  },
  'bytes put in': (file, span, random) =>
    spliced(file, { start: place(span, random), size: 0 }, random.bytes(random.pick(LENGTHS))),
  'zeros put in': (file, span, random) =>
    spliced(file, { start: place(span, random), size: 0 }, Buffer.alloc(random.pick(LENGTHS))),
  'bytes taken out': (file, span, random) => spliced(file, part(span, random, 1024), Buffer.alloc(0)),
  'a run doubled': (file, span, random) => {
    const { start, size } = part(span, random, 1024);
    return spliced(file, { start, size: 0 }, file.subarray(start, start + size));
  },
  'a run from elsewhere': (file, span, random) => {
    const run = part(span, random, 512);
    const from = random.below(file.byteLength - run.size + 1);
    return spliced(file, run, file.subarray(from, from + run.size));
  },
  'cut here': (file, span, random) => Buffer.from(file.subarray(0, place(span, random))),
} as const satisfies Record<string, Edit>;

/** The file with `bytes` in place of the span. */
export function spliced(file: Buffer, { start, size }: Span, bytes: Uint8Array): Buffer {
  return Buffer.concat([file.subarray(0, start), bytes, file.subarray(start + size)]);
}

function replaced(file: Buffer, at: number, change: (byte: number) => number): Buffer {
  return spliced(file, { start: at, size: 1 }, Buffer.from([change(file.readUInt8(at))]));
}

function place({ start, size }: Span, random: Seeded): number {
  return start + random.below(size);
}

/** At least one byte, at most `most`. */
function part(span: Span, random: Seeded, most = Infinity): Span {
  const start = place(span, random);
  return { start, size: random.between(1, Math.min(most, span.start + span.size - start)) };
}
