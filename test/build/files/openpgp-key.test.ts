import { readFileSync } from 'node:fs';
import { armor, enums, PacketList, readKey } from 'openpgp';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkKeyFile } from '../../../src/build/files/openpgp-key.ts';
import { builtInCatalogue } from '../../../src/catalog/built-in.ts';
import { elasticData } from '../../support/elastic-data.ts';
import { generateOpenPgpKey, type OpenPgpKey } from '../../support/openpgp-key.ts';
import { rejected } from '../../support/thrown.ts';

const REAL = elasticData("Elastic's own key", 'package-registry/GPG-KEY-elasticsearch');

let key: OpenPgpKey;
let other: OpenPgpKey;
beforeAll(async () => {
  [key, other] = await Promise.all([generateOpenPgpKey(), generateOpenPgpKey()]);
});

const packets = async (armoured: string) => (await readKey({ armoredKey: armoured })).toPacketList();

/** The keys in one armoured block. */
async function together(...keys: readonly OpenPgpKey[]): Promise<string> {
  const all = new PacketList();
  for (const { armoured } of keys) all.push(...(await packets(armoured)));
  return armor(enums.armor.publicKey, all.write());
}

describe('a key file', () => {
  test('is the key whose fingerprint is pinned', async () => {
    await checkKeyFile(key.armoured, key.fingerprint);
    await checkKeyFile(`\r\n${key.armoured.replaceAll('\n', '\r\n')}\n`, key.fingerprint);
  });

  test('of another key is refused, with both fingerprints', async () => {
    const error = await rejected(checkKeyFile(other.armoured, key.fingerprint));
    expect([error.code, error.exitStatus]).toEqual(['SIGNATURE_INVALID', 3]);
    expect(error.message).toContain(`expected fingerprint ${key.fingerprint}, found ${other.fingerprint}`);
    expect(error.hint).toContain('signingKeys');
  });

  test('with a second key in the same block is refused, whichever comes first', async () => {
    for (const keys of [
      [key, other],
      [other, key],
      [key, key],
    ] as const) {
      const error = await rejected(checkKeyFile(await together(...keys), key.fingerprint));
      expect(error.code).toBe('SIGNATURE_INVALID');
      expect(error.message).toContain('2 keys');
    }
  });

  // the library reads the first block alone; gpg --import would take in both
  test('with a second block, or anything else around, is refused', async () => {
    for (const text of [key.armoured + other.armoured, `${key.armoured}\nmore`, `more\n${key.armoured}`]) {
      expect((await rejected(checkKeyFile(text, key.fingerprint))).code).toBe('SIGNATURE_INVALID');
    }
  });

  // a primary key of a version that this library does not know, which it would leave out of the list without a word
  test('with a packet that cannot be read is refused', async () => {
    const unknown = Buffer.from([0xc6, 12, 99, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const bytes = Buffer.concat([(await packets(key.armoured)).write(), unknown]);
    const error = await rejected(checkKeyFile(armor(enums.armor.publicKey, bytes), key.fingerprint));
    expect(error.code).toBe('SIGNATURE_INVALID');
  });

  test.each([
    ['nothing', ''],
    ['a page', '<html>sign in first</html>'],
    ['a block of nothing', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n'],
    ['a block of noise', '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n'],
  ])('of %s is refused', async (_what, text) => {
    expect((await rejected(checkKeyFile(text, key.fingerprint))).code).toBe('SIGNATURE_INVALID');
  });

  test('that was cut short is refused', async () => {
    const cut = `${key.armoured.slice(0, 300)}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
    expect((await rejected(checkKeyFile(cut, key.fingerprint))).code).toBe('SIGNATURE_INVALID');
  });
});

test.skipIf(REAL === undefined)("Elastic's key is the one of the catalogue", async () => {
  const pinned = builtInCatalogue.signingKeys.find(({ name }) => name === 'GPG-KEY-elasticsearch');
  await checkKeyFile(readFileSync(REAL ?? '', 'utf8'), pinned!.fingerprint);
});
