// Content descriptors (OCI image-spec, descriptor.md): what identifies content.
import { digestOf, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import type { Platform } from './platform.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  readonly artifactType?: string;
  /** Where a foreign layer may be fetched from; never with credentials. */
  readonly urls?: readonly string[];
}

export function descriptorOf(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.byteLength };
}

export function digestMismatch(
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  found: { digest?: Digest; size: number },
  where = '',
): AirgapError {
  const expected = `${descriptor.digest} (${descriptor.size} bytes)`;
  const got = found.digest ? `${found.digest} (${found.size} bytes)` : `${found.size} bytes`;
  return new AirgapError(
    'DIGEST_MISMATCH',
    `${where && `${where}: `}content does not match its digest: expected ${expected}, found ${got}`,
    {
      details: { expected: { digest: descriptor.digest, size: descriptor.size }, found },
    },
  );
}
