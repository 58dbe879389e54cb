// What vouches for a file, before it is locked: a digest in airgap.yaml, a list of checksums that its publisher keeps, or
// that it is itself the key of a pinned fingerprint.
import type { Digest } from '../../core/digest.ts';
import { AirgapError } from '../../core/errors.ts';
import { recordableUrl } from '../../core/url-text.ts';
import type { Verified } from '../../bundle/lock.ts';
import { SMALL_FILE_LIMIT, textOf, type ContentReader, type FileContent } from './content.ts';
import { checkKeyFile } from './openpgp-key.ts';
import type { WantedFile } from './wanted-files.ts';

export interface VouchOptions {
  readonly read: ContentReader;
  readonly signal?: AbortSignal | undefined;
}

/** @throws DIGEST_MISMATCH, SIGNATURE_INVALID, CONTENT_MISSING for a list that lacks the file */
export async function vouch(file: WantedFile, content: FileContent, options: VouchOptions): Promise<Verified> {
  const { name, digest, checksums, fingerprint } = file;
  const found = content.descriptor.digest;
  if (digest !== undefined) return bySum({ found, expected: digest, from: 'airgap.yaml' });
  if (checksums !== undefined) {
    const list = await options.read({ url: checksums }, { limit: SMALL_FILE_LIMIT, signal: options.signal });
    const from = recordableUrl(checksums);
    const expected = sumOf(name, await textOf(list, { limit: SMALL_FILE_LIMIT }), from);
    return bySum({ found, expected, from });
  }
  if (fingerprint === undefined) return 'none';
  await checkKeyFile(await textOf(content, { limit: SMALL_FILE_LIMIT }), fingerprint);
  return { by: 'fingerprint', key: fingerprint };
}

function bySum({ found, expected, from }: { found: Digest; expected: Digest; from: string }): Verified {
  if (found === expected) return { by: 'checksum', from };
  throw new AirgapError('DIGEST_MISMATCH', `expected ${expected} by ${from}, found ${found}`, {
    hint:
      from === 'airgap.yaml'
        ? 'Find out which of them is right before you change the digest in airgap.yaml.'
        : 'What is published does not fit together, or was changed on its way: do not use it. A proxy or mirror may be the reason.',
    details: { expected, found, from },
  });
}

/** The sha256 of a file in the output of sha256sum. */
function sumOf(name: string, list: string, url: string): Digest {
  const sums = list.split(/\r?\n/).map((line) => /^([0-9a-f]{64}) [ *](.+)$/.exec(line));
  const sum = sums.find((parts) => parts?.[2] === name)?.[1];
  if (sum !== undefined) return `sha256:${sum}` as Digest;
  throw new AirgapError('CONTENT_MISSING', `${url} lists no checksum of it`, {
    hint: 'A file that nothing vouches for is not taken. Look whether the version is published for this platform.',
    details: { url },
  });
}
