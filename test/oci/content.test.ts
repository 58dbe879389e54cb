import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Digester } from '../../src/core/digest.ts';
import { collect, type ByteStream } from '../../src/core/streams.ts';
import { contentOf, MANIFEST_LIMIT, readBlob, verified } from '../../src/oci/content.ts';
import { descriptorOf, digestMismatch, type Descriptor } from '../../src/oci/descriptor.ts';
import type { Fetcher } from '../../src/oci/target.ts';
import { rejected } from '../support/thrown.ts';

const BYTES = Buffer.from('the content');
const BLOB = descriptorOf(BYTES, 'text/plain');

async function* stream(...pieces: readonly (string | Uint8Array)[]): ByteStream & AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece as string);
}

describe('verified', () => {
  test('passes on what is right, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 })), async (pieces) => {
        const whole = Buffer.concat(pieces);
        const passed = await collect(verified(stream(...pieces), descriptorOf(whole, 'x')), 1000);
        return passed.equals(whole);
      }),
    );
  });

  test.each([
    ['too long by a byte', ['the content', '!']],
    ['too long from the start', ['the content and more']],
    ['too short', ['the ', 'conten']],
    ['empty', []],
    ['of the right length, but other', ['THE CONTENT']],
  ])('content that is %s is DIGEST_MISMATCH, with expected and found', async (_case, pieces) => {
    const error = await rejected(collect(verified(stream(...pieces), BLOB), 1000));
    expect(error.code).toBe('DIGEST_MISMATCH');
    expect(error.details).toMatchObject({ expected: { digest: BLOB.digest, size: BLOB.size }, found: {} });
  });

  test('no byte beyond the size is passed on or waited for', async () => {
    const passed: string[] = [];
    let closed = false;
    const endless = (async function* () {
      try {
        for (;;) yield Buffer.from('1234');
      } finally {
        closed = true;
      }
    })();
    await rejected(
      (async () => {
        for await (const chunk of verified(endless, BLOB)) passed.push(Buffer.from(chunk).toString());
      })(),
    );
    expect([passed.join('').length <= BLOB.size, closed]).toEqual([true, true]);
  });

  test('goes on with a digester that has seen the beginning', async () => {
    const digester = new Digester().update(BYTES.subarray(0, 4));
    expect((await collect(verified(stream('content'), BLOB, digester), 100)).toString()).toBe('content');
  });
});

describe('readBlob', () => {
  const serving = (bytes: Uint8Array): Fetcher & { asked: number } => ({
    asked: 0,
    async *fetch() {
      this.asked++;
      yield bytes;
    },
  });

  test('reads up to the limit', async () => {
    expect(await readBlob(serving(BYTES), BLOB, { limit: BLOB.size })).toEqual(BYTES);
  });

  test.each([
    ['a stated limit', BLOB, { limit: BLOB.size - 1 }],
    ['the limit of manifests', { ...BLOB, size: MANIFEST_LIMIT + 1 }, {}],
    ['any limit', { ...BLOB, size: Number.MAX_SAFE_INTEGER }, {}],
  ] satisfies [string, Descriptor, object][])(
    'CVE-2020-1702: what says it is larger than %s is not even asked for',
    async (_case, descriptor, options) => {
      const source = serving(BYTES);
      expect((await rejected(readBlob(source, descriptor, options))).code).toBe('MANIFEST_INVALID');
      expect(source.asked).toBe(0);
    },
  );

  test.each(['longer than it', 'short', BYTES.toString().toUpperCase()])(
    '%j in its place is refused',
    async (other) => {
      expect((await rejected(readBlob(serving(Buffer.from(other)), BLOB))).code).toBe('DIGEST_MISMATCH');
    },
  );

  test('CVE-2020-1702: what says it is small, and is not, is not read to its end', async () => {
    let sent = 0;
    const source: Fetcher = {
      async *fetch() {
        for (;;) {
          sent += 1000;
          yield Buffer.alloc(1000);
        }
      },
    };
    expect((await rejected(readBlob(source, { ...BLOB, size: 5000 }))).code).toBe('DIGEST_MISMATCH');
    expect(sent).toBe(6000);
  });
});

test('contentOf opens at any byte', async () => {
  const content = contentOf(BYTES);
  for (const start of [0, 4, BYTES.byteLength, BYTES.byteLength + 5])
    expect(await collect(content.open(start), 100)).toEqual(BYTES.subarray(start));
});

test('a mismatch says where, and what was expected and found', () => {
  const other = descriptorOf(Buffer.from('other'), 'x');
  const { message, code } = digestMismatch(BLOB, { digest: other.digest, size: 5 }, 'site.tar');
  expect(code).toBe('DIGEST_MISMATCH');
  for (const part of ['site.tar', BLOB.digest, `${BLOB.size} bytes`, other.digest, '5 bytes'])
    expect(message).toContain(part);
});
