// OpenPGP keys, new at each call.
import { generateKey, readKey } from 'openpgp';

export interface OpenPgpKey {
  /** The public key as a file. */
  readonly armoured: string;
  /** Upper-case hex. */
  readonly fingerprint: string;
}

export async function generateOpenPgpKey(): Promise<OpenPgpKey> {
  const { publicKey } = await generateKey({ userIDs: [{ name: 'Signing key of a test' }] });
  const key = await readKey({ armoredKey: publicKey });
  return { armoured: publicKey, fingerprint: key.getFingerprint().toUpperCase() };
}
