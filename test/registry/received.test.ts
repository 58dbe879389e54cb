import { expect, test } from 'vitest';
import { lendReceived } from '../../src/registry/received.ts';

const owned = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));

async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

test('the memory of a piece is given back when the next one is asked for, not before', async () => {
  const pieces = ['one', 'two', 'three'].map(owned);
  const stream = lendReceived(streamOf(...pieces))[Symbol.asyncIterator]();
  const whole = (): string => pieces.map(({ buffer }) => (buffer.detached ? '-' : '+')).join('');
  const seen: string[] = [];
  while ((await stream.next()).done !== true) seen.push(whole());
  expect([...seen, whole()]).toEqual(['+++', '-++', '--+', '---']);
});

test('memory that holds more than the piece, or that threads share, is left alone', async () => {
  const pool = new Uint8Array(Buffer.from('some memory')).buffer;
  const parts = [new Uint8Array(pool, 0, 4), new Uint8Array(pool, 4, 4), new Uint8Array(pool, 8, 3)];
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  let size = 0;
  for await (const { bytes } of lendReceived(streamOf(shared, ...parts))) size += bytes.byteLength;
  expect([size, pool.detached, shared.byteLength]).toEqual([14, false, 3]);
});
