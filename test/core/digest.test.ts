import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Digester,
  digestFromHash,
  digestOf,
  digestOfStream,
  hexOf,
  isDigest,
  parseDigest,
} from '../../src/core/digest.ts';
import { hashingHere, type Hashing } from '../../src/core/hashing.ts';
import type { Borrowed } from '../../src/core/streams.ts';
import { thrown } from '../support/thrown.ts';

// FIPS 180-4, the published examples
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('digests', () => {
  test.each([
    ['', EMPTY],
    ['abc', ABC],
  ])('of %j is the published one', (text, hex) => {
    expect(digestOf(Buffer.from(text))).toBe(`sha256:${hex}`);
    expect(hexOf(digestOf(Buffer.from(text)))).toBe(hex);
    expect(digestFromHash(Buffer.from(hex, 'hex'))).toBe(`sha256:${hex}`);
  });

  test('a Digester counts, and does not mind how the bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        const digester = new Digester();
        for (const piece of pieces) digester.update(piece);
        const whole = Buffer.concat(pieces);
        return digester.size === whole.byteLength && digester.digest() === digestOf(whole);
      }),
    );
  });

  test('CVE-2024-3727: only lower-case sha256 of the right length passes for one, so no path can be made with it', () => {
    expect(parseDigest(`sha256:${ABC}`)).toBe(`sha256:${ABC}`);
    for (const text of [
      '',
      ABC,
      'sha256:',
      'sha256:../../../../etc/passwd',
      `sha256:${ABC.slice(1)}`,
      `sha256:${ABC}0`,
      `sha256:${ABC.toUpperCase()}`,
      `SHA256:${ABC}`,
      `sha256-${ABC}`,
      `sha256:${ABC}\n`,
      ` sha256:${ABC}`,
      `sha256:${ABC.slice(0, -3)}/..`,
      `sha512:${createHash('sha512').digest('hex')}`,
    ]) {
      expect(isDigest(text)).toBe(false);
      expect(thrown(() => parseDigest(text)).code).toBe('REFERENCE_INVALID');
    }
    for (const value of [undefined, null, 5, {}, [`sha256:${ABC}`]]) expect(isDigest(value)).toBe(false);
  });

  test('the error names the place, and quotes no more than a line of it', () => {
    const error = thrown(() => parseDigest('x'.repeat(10_000), 'images[3].digest'));
    expect(error.message).toContain('images[3].digest');
    expect(error.message.length).toBeLessThan(200);
  });

  test('of a stream that uses its memory again as soon as a piece is taken in, which another thread does late', async () => {
    const late: Hashing = {
      ...hashingHere,
      begin: () => {
        const hash = hashingHere.begin();
        const update = async (pieces: readonly Uint8Array[]): Promise<void> => {
          await nextTurn();
          await hash.update(pieces);
        };
        return { ...hash, update };
      },
    };
    const reusing = async function* (): AsyncGenerator<Borrowed> {
      const memory = Buffer.alloc(1);
      for (const letter of 'abc') {
        memory.write(letter);
        yield { bytes: memory };
      }
      memory.fill(0);
    };
    expect(await digestOfStream(reusing(), late)).toEqual({ digest: `sha256:${ABC}`, size: 3 });
  });
});
