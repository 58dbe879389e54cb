// Fetching a bearer token (distribution-spec's token authentication): GET with Basic credentials or none, or OAuth2's POST
// for identity tokens. The realm has been judged by url-policy.ts before it comes here.
import { AirgapError } from '../core/errors.ts';
import { readAll, discard } from './answer.ts';
import type { Clock } from './clock.ts';
import type { Credential } from './credential.ts';
import { httpError } from './http-error.ts';
import { showUrl } from './url-policy.ts';
import type { RequestBody, Wire, WireRequest } from './wire.ts';

const RESPONSE_LIMIT = 64 * 1024;
const CLIENT_ID = 'eck-airgap';
/** What the specification says a token without `expires_in` lives. */
const DEFAULT_LIFETIME = 60;
const TOKEN = /^[\x21-\x7e]{1,32768}$/;

export interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Exclude<Credential, { kind: 'bearer' }> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Token {
  readonly token: string;
  /** Seconds. */
  readonly lifetime: number;
}

/** One attempt. @throws REGISTRY_UNAUTHORIZED when the service refuses, REGISTRY_PROTOCOL, and HttpError */
export async function fetchToken(wire: Wire, request: TokenRequest, clock: Pick<Clock, 'now'>): Promise<Token> {
  const answer = await wire.exchange(toHttp(request));
  const where = showUrl(request.realm);
  if (answer.status === 200) return parseToken(await readAll(answer, RESPONSE_LIMIT, clock), where);
  if (answer.status >= 300 && answer.status < 400) {
    discard(answer);
    throw new AirgapError('URL_REFUSED', `the token service ${where} answered a redirect, which is not followed`);
  }
  const error = await httpError(answer, clock.now());
  if (![400, 401, 403].includes(error.status)) throw error;
  throw new AirgapError('REGISTRY_UNAUTHORIZED', `the token service refuses: ${error.message}`, { cause: error });
}

export function basicAuthorization(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function toHttp({ realm, service, scopes, credential, signal }: TokenRequest): WireRequest {
  if (credential?.kind === 'identity-token') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: CLIENT_ID,
      refresh_token: credential.token,
    });
    if (service !== undefined) form.set('service', service);
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    return { method: 'POST', url: realm, headers, body: bytesBody(Buffer.from(form.toString())), signal };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credential === undefined) return { method: 'GET', url, headers: { accept: 'application/json' }, signal };
  url.searchParams.set('account', credential.username);
  url.searchParams.set('client_id', CLIENT_ID);
  const authorization = basicAuthorization(credential.username, credential.password);
  return { method: 'GET', url, headers: { accept: 'application/json', authorization }, signal };
}

/** A body that is in memory. */
export function bytesBody(bytes: Uint8Array): RequestBody {
  return {
    length: bytes.byteLength,
    async *open() {
      yield bytes;
    },
  };
}

function parseToken(bytes: Buffer, where: string): Token {
  const document = parseObject(bytes);
  const token = [document['token'], document['access_token']].find(
    (value) => typeof value === 'string' && value !== '',
  );
  if (typeof token !== 'string' || !TOKEN.test(token)) {
    throw new AirgapError('REGISTRY_PROTOCOL', `the token service ${where} answered no usable token`);
  }
  const seconds = Number(document['expires_in'] ?? 0); // some write it as a text
  return { token, lifetime: seconds > 0 ? seconds : DEFAULT_LIFETIME };
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
