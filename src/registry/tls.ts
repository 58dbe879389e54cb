// The TLS side of connections: the usual roots with the user's beside them, made once, since reading a hundred roots
// costs more than a handshake; and for a host that has certificates of its own, settings of its own.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { AirgapError } from '../core/errors.ts';

export interface TlsOptions {
  /** PEM, added to the default roots. */
  readonly ca?: string | undefined;
  /** Do not check certificates. */
  readonly insecureSkipTlsVerify?: boolean | undefined;
}

/** What proves to a server who we are, in PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  /** Names it in messages. */
  readonly where: string;
}

/** What holds for one host alone. */
export interface HostCertificates {
  /** Authorities to trust, in PEM, with the files they are from. */
  readonly ca: readonly { readonly pem: string; readonly where: string }[];
  readonly client: readonly ClientCertificate[];
}

export interface TlsSettings {
  readonly secureContext?: SecureContext;
  readonly rejectUnauthorized: boolean;
}

/** @throws TLS_FAILED when `ca` holds no certificate or one that cannot be read */
export function tlsSettings(options: TlsOptions): TlsSettings {
  const rejectUnauthorized = options.insecureSkipTlsVerify !== true;
  if (options.ca === undefined) return { rejectUnauthorized };
  return {
    rejectUnauthorized,
    secureContext: createSecureContext({ ca: [...roots(), ...parseAuthorities(options.ca)] }),
  };
}

/** The settings for one host, with its certificates beside what holds for all. @throws TLS_FAILED */
export function hostTlsSettings(options: TlsOptions, { ca, client }: HostCertificates): TlsSettings {
  const authorities = ca.flatMap(({ pem, where }) => parseAuthorities(pem, where));
  if (options.ca !== undefined) authorities.push(...parseAuthorities(options.ca));
  for (const pair of client) checkPair(pair);
  return {
    rejectUnauthorized: options.insecureSkipTlsVerify !== true,
    secureContext: createSecureContext({
      ca: [...roots(), ...authorities],
      cert: client.map(({ cert }) => cert),
      key: client.map(({ key }) => key),
    }),
  };
}

function roots(): string[] {
  return getCACertificates('default');
}

function checkPair({ cert, key, where }: ClientCertificate): void {
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new AirgapError(
      'TLS_FAILED',
      `the client certificate ${where} with its key cannot be used: ${(cause as Error).message}`,
      {
        cause,
        hint: 'Both are PEM files, the key without a passphrase and the one that the certificate was made for.',
      },
    );
  }
}

function parseAuthorities(pem: string, where?: string): string[] {
  const blocks =
    pem.match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('it holds no PEM certificate');
    return blocks.map((block) => new X509Certificate(block).toString());
  } catch (cause) {
    throw new AirgapError(
      'TLS_FAILED',
      `the file of certificate authorities ${where === undefined ? '' : `${where} `}cannot be used: ${(cause as Error).message}`,
      {
        cause,
        hint: `${where === undefined ? 'Give --ca-file' : 'It should be'} a PEM file with the certificate of the authority that signed the registry's ("-----BEGIN CERTIFICATE-----").`,
      },
    );
  }
}
