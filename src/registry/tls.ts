// The TLS side of connections: the usual roots with the user's beside them, made once, since reading a hundred roots
// costs more than a handshake.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { AirgapError } from '../core/errors.ts';

export interface TlsOptions {
  /** PEM, added to the default roots. */
  readonly ca?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

export interface TlsSettings {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** @throws TLS_FAILED when `ca` holds no certificate or one that cannot be read */
export function tlsSettings(options: TlsOptions): TlsSettings {
  const rejectUnauthorized = options.insecureSkipTlsVerify !== true;
  if (options.ca === undefined) return { rejectUnauthorized };
  const ca = [...getCACertificates('default'), ...parseCertificates(options.ca)];
  return { rejectUnauthorized, secureContext: createSecureContext({ ca }) };
}

function parseCertificates(pem: string): string[] {
  const blocks =
    pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('it holds no PEM certificate');
    return blocks.map((block) => new X509Certificate(block).toString());
  } catch (cause) {
    throw new AirgapError(
      'TLS_FAILED',
      `the file of certificate authorities cannot be used: ${(cause as Error).message}`,
      {
        cause,
        hint: 'Give --ca-file a PEM file with the certificate of the authority that signed the registry\'s ("-----BEGIN CERTIFICATE-----").',
      },
    );
  }
}
