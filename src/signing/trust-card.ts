// The trust card: what a person carries to the enclave separately from the media, to check the installer with the
// enclave's own tools before it runs.
import { fingerprintGroups } from './fingerprint.ts';
import type { KeyAlgorithm, PublicKey } from './public-key.ts';

const DGST = `openssl dgst -sha256 -verify airgap.pub \\
    -signature /tmp/sums.sig SHA256SUMS`;

const VERIFY: Readonly<Record<KeyAlgorithm, string>> = {
  'ecdsa-p256': DGST,
  rsa: DGST,
  ed25519: `openssl pkeyutl -verify -pubin -inkey airgap.pub -rawin \\
    -sigfile /tmp/sums.sig -in SHA256SUMS`,
};

/** Plain ASCII, at most 76 columns. */
export function trustCard(key: PublicKey): string {
  const groups = fingerprintGroups(key.fingerprint);
  return `eck-airgap trust card
=====================

Carry this card to the enclave by another way than the media: in another
bag, on paper, read over the phone. A key that travels on the same media as
what it vouches for proves nothing.

Public key (${key.algorithm}), to be saved inside as airgap.pub:

${key.pem.trimEnd()}

SHA-256 of the key (SubjectPublicKeyInfo, DER):

  ${groups.slice(0, 8).join(' ')}
  ${groups.slice(8).join(' ')}

Inside, before anything from the media runs, type this in the folder of the
media. It uses only the tools of the enclave's own system. airgap.pub is the
file made from this card, not one from the media.

1. Is airgap.pub the key of this card? The digits must be those above.

  openssl pkey -pubin -in airgap.pub -outform DER | sha256sum

2. Is SHA256SUMS signed with it? "Verified OK", or "Signature Verified
   Successfully", must be printed.

  base64 -d SHA256SUMS.sig > /tmp/sums.sig
  ${VERIFY[key.algorithm]}

3. Are the files on the media those that were signed? Every line must end
   with "OK".

  sha256sum -c SHA256SUMS

Only then run eck-airgap. It checks every byte of the bundle against the
same key again:

  eck-airgap verify . --key airgap.pub
`;
}
