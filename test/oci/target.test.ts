import { expect, test } from 'vitest';
import { collect, lent, type BorrowedStream } from '../../src/core/streams.ts';
import { borrowed, borrowedContent, contentOf, readBlob, verified } from '../../src/oci/content.ts';
import { descriptorOf } from '../../src/oci/descriptor.ts';
import { readManifest } from '../../src/oci/manifest.ts';
import type { Fetcher } from '../../src/oci/target.ts';

const BYTES = Buffer.from('some content');
const BLOB = descriptorOf(BYTES, 'application/octet-stream');

/** Yields the same memory again and again, as a medium does that lends. */
async function* reused(start = 0): BorrowedStream & AsyncGenerator<{ bytes: Uint8Array }> {
  const bytes = Buffer.alloc(1);
  for (const byte of BYTES.subarray(start)) {
    bytes[0] = byte;
    yield { bytes };
  }
  bytes.fill(0);
}

const LENDER: Fetcher = {
  fetch: (_, { start = 0 } = {}) => contentOf(BYTES).open(start),
  borrow: (_, { start } = {}) => reused(start),
};

async function seen(stream: BorrowedStream): Promise<string> {
  let text = '';
  for await (const { bytes } of stream) text += Buffer.from(bytes).toString();
  return text;
}

test('what is read whole is what was verified, whatever memory the medium uses again', async () => {
  expect(await readBlob(LENDER, BLOB)).toEqual(BYTES);
  expect(await readBlob({ ...LENDER, fetch: () => contentOf(BYTES).open(0) }, BLOB)).toEqual(BYTES);
});

test('no option of a read whole, and nothing that keeps chunks, takes borrowed ones: the compiler refuses it', () => {
  const refused = [
    // @ts-expect-error a borrowed chunk is not bytes
    () => collect(LENDER.borrow?.(BLOB) ?? reused(), 100),
    // @ts-expect-error nor is it verified and passed on
    () => verified(reused(), BLOB),
    // @ts-expect-error readBlob cannot be told to use memory again
    () => readBlob(LENDER, BLOB, { reuse: true }),
    // @ts-expect-error nor can readManifest
    () => readManifest(LENDER, BLOB, { reuse: true }),
    // @ts-expect-error nor is a medium that only lends one that is read from
    () => readBlob({ fetch: () => reused() }, BLOB),
  ];
  expect(refused).toHaveLength(5);
});

test('a medium without memory of its own to lend lends what it fetches', async () => {
  const fetch: Fetcher['fetch'] = (_, { start = 0 } = {}) => contentOf(BYTES).open(start);
  expect(await seen(borrowed({ fetch }, BLOB, { start: 5 }))).toBe('content');
  expect(await seen(borrowed(LENDER, BLOB, { start: 5 }))).toBe('content');
  expect(await seen(borrowedContent(contentOf(BYTES), 5))).toBe('content');
  expect(await seen(lent(contentOf(BYTES).open(0)))).toBe('some content');
});
