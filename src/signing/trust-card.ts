// The trust card: what a person carries to the enclave separately from the media, to check the program with the enclave's own
// tools before it runs. Its commands are plain POSIX sh, copied or typed as they stand; what they check is what they run.
import { createHash } from 'node:crypto';
import { INSTALLER_PLATFORMS, installerName } from '../core/program.ts';
import { fingerprintGroups } from './fingerprint.ts';
import type { KeyAlgorithm, PublicKey } from './public-key.ts';

const DGST = `openssl dgst -sha256 -verify "$work/airgap.pub" \\
      -signature "$work/sums.sig" "$work/SHA256SUMS"`;

const VERIFY: Readonly<Record<KeyAlgorithm, string>> = {
  'ecdsa-p256': DGST,
  rsa: DGST,
  ed25519: `openssl pkeyutl -verify -pubin -inkey "$work/airgap.pub" -rawin \\
      -sigfile "$work/sums.sig" -in "$work/SHA256SUMS"`,
};

/** Plain ASCII, at most 76 columns. Lines that are indented by two blanks are commands, and nothing else is. */
export function trustCard(key: PublicKey): string {
  const file = `${key.pem.trimEnd()}\n`;
  return `eck-airgap trust card
=====================

Carry this card to the enclave by another way than the media: in another
bag, on paper, read over the phone. A key that travels on the same media as
what it vouches for proves nothing.

Public key (${key.algorithm}), to be saved inside as airgap.pub:

${file}
SHA-256 of the key (SubjectPublicKeyInfo, DER):

${digits(fingerprintGroups(key.fingerprint))}

Inside, before anything from the media runs, type what follows in one shell.
It uses only the tools of the enclave's own system, writes nothing to the
media, and runs nothing on it: the media may be read-only and noexec.

The program is this file of the media, and no other:

${programs()}

0. Where is the media, and where is airgap.pub? Type each path after its
   command, from / on. airgap.pub is the file made from this card: it must
   not lie on the media.

  IFS= read -r media

  IFS= read -r key

1. Copy what is to be checked into a new folder that only you can enter. Is
   airgap.pub the key of this card? The digits must be those above.

  case $(uname -m) in
  aarch64 | arm64) program=${installerName('linux-arm64')} ;;
  *) program=${installerName('linux-x64')} ;;
  esac
  work=$(mktemp -d) && cat "$key" > "$work/airgap.pub" &&
    cat "$media/SHA256SUMS" > "$work/SHA256SUMS" &&
    cat "$media/SHA256SUMS.sig" > "$work/SHA256SUMS.sig" &&
    cat "$media/$program" > "$work/$program"
  openssl pkey -pubin -in "\${work:?}/airgap.pub" -outform DER | sha256sum

2. Is SHA256SUMS signed with it? "Verified OK", or "Signature Verified
   Successfully", must be printed.

  base64 -d "\${work:?}/SHA256SUMS.sig" > "$work/sums.sig" &&
    ${VERIFY[key.algorithm]} &&
    mv "$work/SHA256SUMS" "$work/signed"

3. Is the program the one that was signed? One line must be printed, with
   its name, and end with "OK". Run nothing that step 3 did not list.

  (cd "\${work:?}" && grep "  $program\\$" signed > listed &&
    sha256sum -c listed) && chmod 700 "$work/$program"

4. Run the copy that was checked, never the file on the media. It checks
   every byte of the bundle against the same key, and all that lies beside
   it.

  "\${work:?}/$program" verify "$media" --key "$work/airgap.pub"

   "Permission denied" after an "OK" in step 3: nothing can be run from
   where mktemp makes folders. Set TMPDIR to a folder of yours elsewhere,
   and begin at step 1. Keep the copy for what comes next; "$work" tells
   where it is.

If this machine has no openssl
------------------------------

Then no signature can be checked here, and step 2 cannot be done. Best do
steps 1 to 3 on a machine that has it. Failing that, the SHA-256 of the
program, as "build" printed it on the connected side, can stand in for steps
2 and 3, if somebody wrote it down here and not on the media:

    ${installerName('linux-x64')}    ________________________________
    ${installerName('linux-arm64')}  ________________________________

It shows that the program is that file, and nothing about any other file;
step 4 then shows the rest. Without those digits run nothing. Step 1 as
above (its last command fails), then the key and the program:

  sed '/-----/d' "\${work:?}/airgap.pub" | base64 -d | sha256sum
  sha256sum "$work/$program"

Only if the digits of both are right:

  chmod 700 "\${work:?}/$program"

then step 4. The file airgap.pub, as keygen wrote it, has the SHA-256

${digits(fingerprintGroups(sha256(file)))}

The program for Windows
-----------------------

On Linux, after step 2, this prints its digits. On Windows, those that
"certutil -hashfile FILE SHA256" prints of a copy must be the same.

  grep ' ${installerName('win-x64')}$' "\${work:?}/signed"
`;
}

/** 64 digits in two lines, indented by four. */
function digits(groups: readonly string[]): string {
  return `    ${groups.slice(0, 8).join(' ')}\n    ${groups.slice(8).join(' ')}`;
}

function programs(): string {
  const machines = { 'linux-x64': 'Intel and AMD', 'linux-arm64': 'ARM', 'win-x64': 'Windows: see the end' };
  return INSTALLER_PLATFORMS.map((platform) => `    ${installerName(platform).padEnd(24)}${machines[platform]}`).join(
    '\n',
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
