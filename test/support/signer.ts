// A signer with a key of a test.
import { parsePrivateKey } from '../../src/signing/private-key.ts';
import { keySigner, type Signer } from '../../src/signing/signer.ts';

/** @param pem without a passphrase */
export function signerOf(pem: string): Signer {
  return keySigner(parsePrivateKey(pem, { where: 'a key of the test' }));
}
