// Whether the server may listen without TLS, and the certificate and key that it has.
import { createSecureContext } from 'node:tls';
import { AirgapError } from '../../core/errors.ts';

/** PEM texts, and the files they were read from, for messages. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

export interface Exposure {
  readonly host: string;
  readonly tls?: ServerTls | undefined;
  readonly htpasswd?: string | undefined;
  readonly plainHttp?: boolean | undefined;
}

/** @throws TLS_REQUIRED beyond loopback: with passwords always, else unless plain HTTP was asked for */
export function requireTls({ host, tls, htpasswd, plainHttp }: Exposure): void {
  if (tls || isLoopback(host)) return;
  if (htpasswd !== undefined) {
    throw new AirgapError(
      'TLS_REQUIRED',
      `passwords would cross the network in the clear: ${host} is not loopback and there is no TLS`,
      { hint: 'Pass --tls-cert and --tls-key.' },
    );
  }
  if (plainHttp !== true) {
    throw new AirgapError('TLS_REQUIRED', `listening on ${host} without TLS is not allowed by default`, {
      hint: 'Pass --tls-cert and --tls-key, or ask for it with --plain-http.',
    });
  }
}

/** @throws TLS_FAILED naming the file that is wrong */
export function checkTls({ cert, key, certFile, keyFile }: ServerTls): void {
  const certificate = `the TLS certificate${certFile === undefined ? '' : ` ${certFile}`}`;
  const privateKey = `the TLS key${keyFile === undefined ? '' : ` ${keyFile}`}`;
  usable(certificate, 'It is a PEM file that begins with the certificate of the server.', { cert });
  usable(privateKey, 'It is a PEM file with a private key that has no passphrase.', { key });
  usable(`${certificate} with ${privateKey}`, 'The key is the one that the certificate was made for.', { cert, key });
}

function usable(what: string, hint: string, parts: { cert?: string; key?: string }): void {
  try {
    createSecureContext(parts);
  } catch (cause) {
    throw new AirgapError('TLS_FAILED', `${what} cannot be used: ${(cause as Error).message}`, { cause, hint });
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
