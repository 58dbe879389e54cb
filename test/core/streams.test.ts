import { mkdtemp, open, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  borrowRange,
  collect,
  READ_SIZE,
  readFully,
  readerOf,
  readRange,
  scratch,
  skip,
  writeFully,
  type ByteStream,
} from '../../src/core/streams.ts';
import { randomBytes } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const BYTES = randomBytes('streams', READ_SIZE * 4 + 17);
let folder: string;
let file: FileHandle;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-streams-'));
  await writeFile(join(folder, 'data'), BYTES);
  file = await open(join(folder, 'data'), 'r+');
});
afterEach(async () => {
  await file.close();
  await rm(folder, { recursive: true, force: true });
});

/** Pieces of `text`, and whether the reader ended it or it came to its end. */
function pieces(...texts: readonly string[]): { readonly stream: ByteStream; readonly closed: () => boolean } {
  let closed = false;
  const stream = (async function* () {
    try {
      for (const text of texts) yield Buffer.from(text);
    } finally {
      closed = true;
    }
  })();
  return { stream, closed: () => closed };
}

describe('readRange', () => {
  test.each([
    ['all', undefined, undefined],
    ['from the start', undefined, 100],
    ['to the end', READ_SIZE * 4, undefined],
    ['one byte', 5, 6],
    ['exactly one reading', 0, READ_SIZE],
    ['a reading and a byte', 1, READ_SIZE + 2],
    ['nothing', 7, 7],
    ['an end before the start', 9, 3],
  ])('answers the bytes of %s', async (_case, start, end) => {
    expect(await collect(readRange(file, { start, end }), BYTES.byteLength)).toEqual(BYTES.subarray(start ?? 0, end));
  });

  test('a file shorter than asked just ends', async () => {
    const end = BYTES.byteLength + 5 * READ_SIZE;
    expect(await collect(readRange(file, { start: READ_SIZE, end }), end)).toEqual(BYTES.subarray(READ_SIZE));
    expect(await collect(readRange(file, { start: end }), 0)).toEqual(Buffer.alloc(0));
  });

  test('chunks may be kept: each has memory of its own', async () => {
    const kept: Buffer[] = [];
    for await (const chunk of readRange(file)) kept.push(chunk);
    expect(Buffer.concat(kept).equals(BYTES)).toBe(true);
    expect(new Set(kept.map(({ buffer }) => buffer)).size).toBe(kept.length);
  });

  test('what is lent lies in two buffers, whatever the length of the file', async () => {
    const memory = new Set<ArrayBufferLike>();
    let position = 0;
    for await (const { bytes } of borrowRange(file)) {
      expect(Buffer.from(bytes).equals(BYTES.subarray(position, position + bytes.byteLength))).toBe(true);
      memory.add(bytes.buffer);
      position += bytes.byteLength;
    }
    expect([position, memory.size]).toEqual([BYTES.byteLength, 2]);
  });

  test('whoever stops early can close the file at once: no read is left behind', async () => {
    const own = await open(join(folder, 'data'));
    let under = 0;
    const watched = new Proxy(own, {
      get: (target, name) =>
        name === 'read'
          ? async (...args: Parameters<FileHandle['read']>) => {
              under++;
              try {
                return await target.read(...args);
              } finally {
                under--;
              }
            }
          : (Reflect.get(target, name) as unknown),
    });
    for await (const chunk of readRange(watched)) {
      expect(chunk.byteLength).toBe(READ_SIZE);
      expect(under).toBe(1);
      break;
    }
    expect(under).toBe(0);
    await own.close();
  });

  test("ends with the caller's reason", async () => {
    const reason = new Error('enough');
    await expect(collect(readRange(file, { signal: AbortSignal.abort(reason) }), 1e9)).rejects.toBe(reason);
  });
});

describe('collect', () => {
  test('takes as much as the limit, and one byte more is too much', async () => {
    expect((await collect(pieces('ab', '', 'c').stream, 3)).toString()).toBe('abc');
    expect((await rejected(collect(pieces('ab', 'cd').stream, 3))).code).toBe('REGISTRY_PROTOCOL');
    const own = new Error('my own');
    await expect(collect(pieces('ab', 'cd').stream, 3, () => own)).rejects.toBe(own);
  });

  test('reads no further than the limit, and closes the stream', async () => {
    let read = 0;
    let closed = false;
    const endless = (async function* () {
      try {
        for (;;) {
          read++;
          yield Buffer.alloc(100);
        }
      } finally {
        closed = true;
      }
    })();
    await rejected(collect(endless, 1000));
    expect([read, closed]).toEqual([11, true]);
  });
});

describe('skip', () => {
  test.each([
    [0, 'abcdef'],
    [1, 'bcdef'],
    [2, 'cdef'],
    [3, 'def'],
    [6, ''],
    [60, ''],
  ])('leaves out the first %d bytes', async (start, rest) => {
    expect((await collect(skip(pieces('ab', 'cd', '', 'ef').stream, start), 6)).toString()).toBe(rest);
  });

  test('closes its stream when nobody reads on', async () => {
    const { stream, closed } = pieces('ab', 'cd');
    for await (const chunk of skip(stream, 1)) {
      expect(Buffer.from(chunk).toString()).toBe('b');
      break;
    }
    expect(closed()).toBe(true);
  });
});

describe('whole reads and writes', () => {
  test('go on after the system took only a part', async () => {
    const lazy = new Proxy(file, {
      get: (target, name) => {
        if (name === 'read')
          return (into: Buffer, at: number, length: number, position: number) =>
            target.read(into, at, Math.min(length, 3), position);
        if (name === 'write')
          return (from: Buffer, at: number, length: number, position: number) =>
            target.write(from, at, Math.min(length, 3), position);
        return Reflect.get(target, name) as unknown;
      },
    });
    await writeFully(lazy, Buffer.from('ten bytes.'), 100);
    expect((await readFully(lazy, Buffer.alloc(10), 100)).toString()).toBe('ten bytes.');
    expect(await readFully(lazy, Buffer.alloc(3), 97)).toEqual(BYTES.subarray(97, 100));
  });

  test('a read at the end of the file is as long as what is there', async () => {
    expect(await readFully(file, Buffer.alloc(50), BYTES.byteLength - 5)).toEqual(BYTES.subarray(-5));
  });

  test('scratch takes a part of what is there, or memory of its own where that is too small', () => {
    const into = Buffer.alloc(10);
    expect(scratch(into, 4).buffer).toBe(into.buffer);
    expect(scratch(into, 4).byteLength).toBe(4);
    expect(scratch(into, 11).buffer).not.toBe(into.buffer);
    expect(scratch(undefined, 3).byteLength).toBe(3);
  });
});

test('readerOf answers what is there, from anywhere', async () => {
  const reader = readerOf(Buffer.from('0123456789'));
  const read = async (size: number, position: number) => String(await reader.read(Buffer.alloc(size), position));
  expect([await read(4, 0), await read(4, 8), await read(4, 10), await read(0, 3)]).toEqual(['0123', '89', '', '']);
});
