// What a connection that failed means for a user: unreachable, not trusted, or not HTTP at all. Answers, however bad, are
// for http-error.ts.
import { AirgapError, systemErrorCode, type ErrorCode } from '../core/errors.ts';

interface Explanation {
  readonly code: ErrorCode;
  readonly why: string;
  readonly hint?: string;
}

const NOT_TRUSTED =
  /^(?:CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|ERR_TLS_CERT_|HOSTNAME_MISMATCH)/;
/** Alerts of a server to which our certificate is not good enough, or that got none (mutual TLS). */
const WANTS_CERTIFICATE =
  /^ERR_SSL_(?:TLSV1[0-9]*_ALERT_(?:CERTIFICATE_REQUIRED|UNKNOWN_CA|ACCESS_DENIED)|SSL(?:V3|\/TLS)_ALERT_(?:BAD_CERTIFICATE|HANDSHAKE_FAILURE|CERTIFICATE_(?:EXPIRED|REVOKED|UNKNOWN)))$/;
const PLAIN_HTTP =
  /^(?:ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|ERR_SSL_HTTP_REQUEST|ERR_SSL_UNKNOWN_PROTOCOL)$/;

export const CLIENT_CERTIFICATE_HINT =
  'Put NAME.cert and NAME.key into a folder named as the host is, and pass the folder above it as --certs-dir.';
const AGAIN = 'Run the same command again when the network is better: what is done is not done twice.';
/** What speaks TLS just hangs up on plain HTTP. */
const CUT_IN_PLAIN_HTTP = `If TLS is spoken there, leave out --plain-http, or write https://. ${AGAIN}`;

/** A failed exchange with the server of a URL. The signal's own reason is not for this function. */
export function connectionError(cause: unknown, { host, origin, protocol }: URL): AirgapError {
  if (cause instanceof AirgapError) return cause;
  const system = systemErrorCode(cause) ?? '';
  const {
    code,
    why,
    hint = code === 'REGISTRY_UNREACHABLE' ? AGAIN : undefined,
  } = explain(system, cause, protocol === 'http:');
  return new AirgapError(code, `${host}: ${why}`, { cause, hint, details: { origin, reason: system } });
}

/** Whether the other side does not speak TLS, or broke off before it could tell. */
export function isNotTls(error: unknown): boolean {
  const system = systemErrorCode(error) ?? '';
  return PLAIN_HTTP.test(system) || /^(?:EPROTO|ECONNRESET|UND_ERR_SOCKET|EPIPE)$/.test(system);
}

/** Whether no connection could be made at all: a wrong address more likely than a passing trouble. */
export function isNeverConnected(error: unknown): boolean {
  return /^(?:ECONNREFUSED|ENOTFOUND)$/.test(systemErrorCode(error) ?? '');
}

function explain(system: string, cause: unknown, plain: boolean): Explanation {
  if (isDefect(system, cause)) return { code: 'INTERNAL', why: (cause as Error).message };
  if (PLAIN_HTTP.test(system)) return plainHttpAnswer();
  if (NOT_TRUSTED.test(system)) return notTrusted(system, cause);
  if (WANTS_CERTIFICATE.test(system)) return certificateWanted(system);
  if (system.startsWith('ERR_SSL_') || system === 'EPROTO') {
    return { code: 'TLS_FAILED', why: `no TLS connection (${system})` };
  }
  if (system.startsWith('HPE_')) return { code: 'REGISTRY_PROTOCOL', why: `what answers is not HTTP (${system})` };
  if (system === 'UND_ERR_DESTROYED' || system === 'UND_ERR_CLOSED')
    return { code: 'INTERNAL', why: 'this client is closed' };
  if (system === 'UND_ERR_HEADERS_OVERFLOW')
    return { code: 'REGISTRY_PROTOCOL', why: 'the headers of the answer are too large' };
  return { code: 'REGISTRY_UNREACHABLE', ...unreachable(system, cause, plain) };
}

/** An error of the program, which another attempt would only make again. */
function isDefect(system: string, cause: unknown): boolean {
  const ours = [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => cause instanceof kind);
  return ours || /^(?:UND_ERR_INVALID_ARG|ERR_INVALID_.*)$/.test(system);
}

function unreachable(system: string, cause: unknown, plain: boolean): { why: string; hint?: string } {
  switch (system) {
    case 'ECONNREFUSED':
      return { why: 'connection refused', hint: 'Check host and port, and that the server runs.' };
    case 'ENOTFOUND':
      return { why: 'no such host', hint: 'Check the name of the host and the DNS of this machine.' };
    case 'EAI_AGAIN':
      return { why: 'the name cannot be looked up now', hint: 'Check the DNS of this machine.' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { why: 'no route to it', hint: 'Check the network, and whether a proxy is needed (HTTPS_PROXY).' };
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return { why: 'no connection in time', hint: 'Check firewalls, and whether a proxy is needed (HTTPS_PROXY).' };
    case 'UND_ERR_HEADERS_TIMEOUT':
      return { why: 'no answer in time' };
    case 'UND_ERR_BODY_TIMEOUT':
      return { why: 'the answer stopped in the middle' };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return { why: 'the connection was cut', ...(plain ? { hint: CUT_IN_PLAIN_HTTP } : {}) };
    default:
      return {
        why:
          cause instanceof Error && cause.message !== ''
            ? cause.message.slice(0, 200)
            : `connection failed (${system})`,
      };
  }
}

function plainHttpAnswer(): Explanation {
  return {
    code: 'TLS_FAILED',
    why: 'it does not speak TLS there',
    hint: 'If it really serves plain HTTP, and the network is trusted, add --plain-http; otherwise check the port.',
  };
}

function certificateWanted(system: string): Explanation {
  return {
    code: 'TLS_FAILED',
    why: `it refuses us, and may want a client certificate (${system})`,
    hint: CLIENT_CERTIFICATE_HINT,
  };
}

function notTrusted(system: string, cause: unknown): Explanation {
  if (system === 'CERT_HAS_EXPIRED' || system === 'CERT_NOT_YET_VALID') {
    const why = system === 'CERT_HAS_EXPIRED' ? 'its certificate has expired' : 'its certificate is not valid yet';
    return {
      code: 'TLS_FAILED',
      why,
      hint: 'Renew the certificate of the server, or check the clock of this machine.',
    };
  }
  if (system === 'ERR_TLS_CERT_ALTNAME_INVALID' || system === 'HOSTNAME_MISMATCH') {
    const names = cause instanceof Error ? cause.message.slice(0, 200) : '';
    return {
      code: 'TLS_FAILED',
      why: `its certificate is for another name: ${names}`,
      hint: 'Use the name that the certificate is for.',
    };
  }
  return {
    code: 'TLS_FAILED',
    why: `its certificate is not trusted (${system})`,
    hint: 'Pass --ca-file with the certificate of the authority that signed it.',
  };
}
