// Whether a file is the OpenPGP public key (RFC 9580) that a fingerprint pins: that key, and no other beside it, since who
// imports the file trusts all that is in it.
import type { Key } from 'openpgp';
import { AirgapError } from '../../core/errors.ts';

const BEGIN = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const END = '-----END PGP PUBLIC KEY BLOCK-----';

/**
 * @param armoured the file
 * @param fingerprint upper-case hex
 * @throws SIGNATURE_INVALID
 */
export async function checkKeyFile(armoured: string, fingerprint: string): Promise<void> {
  const found = (await readPublicKeys(armoured)).map((key) => key.getFingerprint().toUpperCase());
  if (found.length === 1 && found[0] === fingerprint) return;
  const what = found.length === 1 ? found[0] : `${found.length} keys (${found.join(', ')})`;
  throw new AirgapError('SIGNATURE_INVALID', `not the pinned key: expected fingerprint ${fingerprint}, found ${what}`, {
    hint: 'Its owner may have changed the key: ask for the new fingerprint another way than from that host, and write it under "signingKeys" into a catalogue file of your own ("elastic.catalogue").',
    details: { expected: fingerprint, found },
  });
}

/** Strict: what the library would pass over (a second block, packets it does not know) another program may take in. */
async function readPublicKeys(armoured: string): Promise<Key[]> {
  const text = armoured.trim();
  if (!text.startsWith(BEGIN) || !text.endsWith(END) || text.split('-----BEGIN').length !== 2) {
    throw unreadable(`it is not one "${BEGIN}"`);
  }
  const { readKeys } = await import('openpgp'); // large, and only `lock` needs it
  const config = { ignoreUnsupportedPackets: false, ignoreMalformedPackets: false };
  try {
    return await readKeys({ armoredKeys: text, config });
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error), error);
  }
}

function unreadable(why: string, cause?: unknown): AirgapError {
  return new AirgapError('SIGNATURE_INVALID', `not an OpenPGP public key: ${why}`, {
    cause,
    hint: 'Something else is served in its place, a page of a proxy perhaps. Fetch the file by hand and look at it.',
  });
}
