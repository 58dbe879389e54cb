// Requests to one registry or web server, as the rest of the client makes them: with credentials, redirects and retries. A
// token that ends in the middle is renewed once for each request. Every URL the server sends passes url-policy.ts.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { untilAborted } from '../core/pool.ts';
import { discard, dropped, headerOf, readAll, type Answer, type Method, type Page } from './answer.ts';
import { Attempts } from './attempts.ts';
import { Auth } from './auth.ts';
import type { Clock } from './clock.ts';
import { encodingRefused } from './content-encoding.ts';
import type { CredentialSource } from './credential.ts';
import { findOrigin, type Endpoint, type ServerKind } from './endpoint.ts';
import { expiring } from './expiring.ts';
import { askedBy, httpError, type HttpError } from './http-error.ts';
import { Limiter } from './limiter.ts';
import { fetchToken, type Token, type TokenRequest } from './token.ts';
import { checkRealm, checkRedirect, sameOrigin, showUrl, type Sender } from './url-policy.ts';
import type { RequestBody, Wire } from './wire.ts';

export interface Call {
  readonly method: Method;
  /** A path below /v2/, or a URL that url-policy.ts has passed. */
  readonly target: string | URL;
  /** What the token must allow. */
  readonly scopes: readonly string[];
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: RequestBody | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Content may be kept elsewhere (blobs, manifests): redirects to other hosts are followed, without credentials. */
  readonly elsewhere?: boolean | undefined;
  /** Neither credentials nor the registry's limits: an address that is not the registry's (foreign layers). */
  readonly anonymous?: boolean | undefined;
  readonly patience?: number | undefined;
}

export interface TransportOptions {
  readonly endpoint: Pick<Endpoint, 'credentialHost' | 'origin'>;
  /** A registry by default. */
  readonly server?: ServerKind | undefined;
  readonly plainHttp: boolean;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly retries: number;
  readonly credentials?: CredentialSource | undefined;
}

/** The source is asked again after this many milliseconds: what a credential helper answers may end within the hour. */
const CREDENTIAL_LIFE = 5 * 60_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

export class Transport {
  readonly #options: TransportOptions;
  readonly #auth: Auth;
  /** Requests that carry a blob may wait for others that read it, so each kind has its own room. */
  readonly #room = { bodies: new Limiter(), others: new Limiter() };
  #sender: Sender | undefined;
  #finding: Promise<Sender> | undefined;
  #answered = false;
  retries = 0;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { endpoint, server, clock, credentials } = options;
    this.#auth = new Auth({
      host: endpoint.credentialHost,
      server,
      clock,
      credential: expiring(async () => credentials?.find(endpoint.credentialHost), CREDENTIAL_LIFE, clock),
      checkRealm: (realm) => checkRealm(realm, this.#known()),
      fetchToken: (request) => this.#fetchToken(request),
    });
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Whose URLs are judged; found out with the first request. */
  async sender(signal?: AbortSignal): Promise<Sender> {
    if (this.#sender) return this.#sender;
    for (;;) {
      const first = this.#finding === undefined;
      try {
        this.#sender = await untilAborted((this.#finding ??= this.#find(signal)), signal);
        return this.#sender;
      } catch (error) {
        signal?.throwIfAborted();
        if (first || error instanceof AirgapError) throw error;
        // whoever began was aborted; we were not
      }
    }
  }

  /** Attempts for a piece of work that is made of several requests. */
  attempts(signal?: AbortSignal): Attempts {
    const { retries, clock, wire } = this.#options;
    return new Attempts({
      retries,
      clock,
      signal,
      reached: () => this.#answered,
      onRetry: () => this.retries++,
      onWait: (after, error) =>
        wire.report?.({ type: 'retry', after, message: error instanceof Error ? error.message : String(error) }),
    });
  }

  /** `once`, tried again while that may help. Only for requests that may be repeated. */
  send(call: Call, expected: readonly number[]): Promise<Answer> {
    return this.#repeated(() => this.once(call, expected), call.signal);
  }

  /** An answer of at most `limit` bytes, whole: a body that breaks off is asked for again. */
  read(call: Call, limit: number): Promise<Page> {
    return this.#repeated(async () => {
      const answer = await this.once(call, [200]);
      const refusal = encodingRefused(answer, call.target);
      if (refusal) throw dropped(answer, refusal);
      return { answer, bytes: await readAll(answer, limit, this.#options.clock) };
    }, call.signal);
  }

  /**
   * One request with one of the `expected` statuses for an answer.
   * @throws HttpError for another status, REGISTRY_UNAUTHORIZED, URL_REFUSED, and connection errors
   */
  async once(call: Call, expected: readonly number[]): Promise<Answer> {
    const sender = await this.sender(call.signal);
    const url = typeof call.target === 'string' ? new URL(`/v2/${call.target}`, sender.origin) : call.target;
    const answer = await this.#authorized(call, url, sender);
    if (expected.includes(answer.status)) return answer;
    const error = await httpError(answer, this.#options.clock.now(), this.#options.server);
    call.signal?.throwIfAborted();
    throw call.anonymous !== true && sameOrigin(answer.url, sender.origin) ? await this.#judged(error) : error;
  }

  /** An error that depends on who asks says so. */
  async #judged(error: HttpError): Promise<AirgapError> {
    if (error.status === 401) return this.#auth.refusal(error);
    return error.status === 403 || error.status === 429 ? askedBy(error, this.#auth.asker) : error;
  }

  async #authorized(call: Call, url: URL, sender: Sender): Promise<Answer> {
    // URLs of other origins come with `anonymous`; should one ever come without, it gets nothing either
    if (call.anonymous === true || !sameOrigin(url, sender.origin)) return this.#followed(call, url, { sender });
    const authorization = await this.#auth.authorization(call.scopes, call.signal);
    const answer = await this.#followed(call, url, { sender, authorization });
    if (answer.status !== 401 || !sameOrigin(answer.url, sender.origin)) return answer;
    discard(answer);
    const need = { scopes: call.scopes, used: authorization };
    const renewed = await this.#auth.respond(answer.headers['www-authenticate'], need, call.signal);
    return this.#followed(call, url, { sender, authorization: renewed });
  }

  async #followed(
    call: Call,
    start: URL,
    from: { sender: Sender; authorization?: string | undefined },
  ): Promise<Answer> {
    let { authorization } = from;
    let url = start;
    for (let hops = 0; ; hops++) {
      const answer = await this.#exchange(call, url, authorization);
      const location = headerOf(answer, 'location');
      if (!REDIRECTS.includes(answer.status) || location === undefined) return answer;
      discard(answer);
      if (hops === MAX_REDIRECTS)
        throw new AirgapError('REGISTRY_PROTOCOL', `${showUrl(start)}: more than ${MAX_REDIRECTS} redirects`);
      url = this.#redirect(call, { location, url, sender: from.sender });
      if (!sameOrigin(url, from.sender.origin)) authorization = undefined; // for good: a way back was chosen by another host
    }
  }

  #redirect(call: Call, from: { location: string; url: URL; sender: Sender }): URL {
    const next = checkRedirect(from.location, from.url, from.sender);
    const readOnly = call.method === 'GET' || call.method === 'HEAD';
    if (readOnly && (call.elsewhere === true || sameOrigin(next, from.sender.origin))) return next;
    throw new AirgapError(
      'URL_REFUSED',
      `${call.method} ${showUrl(from.url)} was redirected to ${showUrl(next)}, which is not followed`,
      {
        hint: 'Check the address of the registry: only blobs and manifests may be kept elsewhere.',
        details: { what: 'redirect', url: showUrl(next) },
      },
    );
  }

  async #exchange(call: Call, url: URL, authorization: string | undefined): Promise<Answer> {
    const { body, signal, patience, method } = call;
    const headers = authorization === undefined ? call.headers : { ...call.headers, authorization };
    const exchange = (): Promise<Answer> =>
      this.#options.wire.exchange({ method, url, headers, body, signal, patience });
    const room = body === undefined ? this.#room.others : this.#room.bodies;
    const answer = call.anonymous === true ? await exchange() : await room.run(exchange, verdictOf, signal);
    this.#answered = true;
    return answer;
  }

  #fetchToken(request: TokenRequest): Promise<Token> {
    const { wire, clock } = this.#options;
    return this.#repeated(() => fetchToken(wire, request, clock), request.signal);
  }

  async #repeated<T>(task: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const attempts = this.attempts(signal);
    for (;;) {
      try {
        return await task();
      } catch (error) {
        await attempts.wait(error);
      }
    }
  }

  #find(signal?: AbortSignal): Promise<Sender> {
    const { endpoint, plainHttp, wire } = this.#options;
    const { origin } = endpoint;
    const found = origin instanceof URL ? Promise.resolve(origin) : findOrigin(wire, origin.loopback, signal);
    return found
      .then((url) => ({ origin: url, plainHttp }))
      .catch((error: unknown) => {
        this.#finding = undefined;
        throw error;
      });
  }

  #known(): Sender {
    if (this.#sender) return this.#sender;
    throw new AirgapError('INTERNAL', 'a realm came before the first request');
  }
}

/** Whether a request was redirected to where it is not followed. */
export function isRedirectRefused(error: unknown): boolean {
  return isAirgapError(error, 'URL_REFUSED') && error.details['what'] === 'redirect';
}

function verdictOf({ status }: Answer): 'grow' | 'shrink' | 'keep' {
  if (status === 429) return 'shrink';
  return status < 400 ? 'grow' : 'keep';
}
