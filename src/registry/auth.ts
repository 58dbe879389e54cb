// Who we are to one server: learns from its challenges what it wants, keeps tokens by scope, and renews them. Sending is
// transport.ts; the token service, which only registries have, is token.ts.
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { untilAborted } from '../core/pool.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Clock } from './clock.ts';
import type { Credential } from './credential.ts';
import type { ServerKind } from './endpoint.ts';
import { loginHints, type LoginHints } from './login-hints.ts';
import { covers, mergeScopes, parseScopes } from './scope.ts';
import { basicAuthorization, type Token, type TokenRequest } from './token.ts';

export interface AuthOptions {
  /** Where the credential is for, for messages. */
  readonly host: string;
  /** A registry by default. */
  readonly server?: ServerKind | undefined;
  readonly credential: () => Promise<Credential | undefined>;
  readonly clock: Clock;
  /** Judges a realm. @throws URL_REFUSED */
  readonly checkRealm: (realm: string) => URL;
  readonly fetchToken: (request: TokenRequest) => Promise<Token>;
}

type Scheme =
  | { readonly kind: 'basic'; readonly authorization: string }
  | { readonly kind: 'given'; readonly authorization: string }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

interface HeldToken {
  readonly scopes: readonly string[];
  readonly authorization: string;
  /** Milliseconds since the epoch. */
  readonly staleAt: number;
}

/** A token is renewed this many milliseconds before it ends, or at nine tenths of a shorter life. */
const MARGIN = 10_000;

export class Auth {
  readonly #options: AuthOptions;
  readonly #hints: LoginHints;
  #scheme: Scheme | undefined;
  #tokens: HeldToken[] = [];
  /** What the last challenge was answered with. */
  #used: Credential | undefined;
  readonly #fetching = new Map<string, Promise<HeldToken>>();

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#hints = loginHints(options.host, options.server ?? 'registry');
  }

  /** The Authorization for a request that needs `scopes`, as far as is known; undefined before the first challenge. */
  async authorization(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const scheme = this.#scheme;
    if (scheme?.kind !== 'bearer') return scheme?.authorization;
    const held = this.#held(scopes);
    if (held && held.staleAt > this.#options.clock.now()) return held.authorization;
    return (await this.#renew(mergeScopes(scopes, held?.scopes ?? []), signal)).authorization;
  }

  /**
   * Answers a 401: the Authorization to try next, never the one that was `used`.
   * @throws REGISTRY_UNAUTHORIZED when there is none, REGISTRY_PROTOCOL, URL_REFUSED
   */
  async respond(
    headers: string | string[] | undefined,
    need: { scopes: readonly string[]; used: string | undefined },
    signal?: AbortSignal,
  ): Promise<string> {
    const { scopes, used } = need;
    const { scheme, asked } = await this.#choose(parseChallenges(headers));
    this.#scheme = scheme;
    if (scheme.kind !== 'bearer') {
      if (scheme.authorization === used) throw await this.refusal();
      return scheme.authorization;
    }
    const held = this.#held(scopes);
    if (held && held.authorization !== used && held.staleAt > this.#options.clock.now()) return held.authorization; // renewed meanwhile
    this.#tokens = this.#tokens.filter((token) => token.authorization !== used);
    return (await this.#renew(mergeScopes(scopes, asked), signal)).authorization;
  }

  /** The credential there is was not enough, or there is none. */
  async refusal(cause?: Error): Promise<AirgapError> {
    const credential = await this.#credential();
    return credential === undefined ? this.#wanted(cause) : this.#refused(credential, cause);
  }

  /** Who requests were made as so far, for messages. */
  get asker(): string {
    if (this.#used === undefined) return 'without credentials';
    return `with ${this.#used.from === undefined ? 'the credentials for it' : `the credentials from ${this.#used.from}`}`;
  }

  async #credential(): Promise<Credential | undefined> {
    this.#used = await this.#options.credential();
    return this.#used;
  }

  #refused({ from }: Credential, cause?: Error): AirgapError {
    const { host } = this.#options;
    return new AirgapError(
      'REGISTRY_UNAUTHORIZED',
      `${host} refuses the credentials for it${from === undefined ? '' : ` from ${from}`}${because(cause)}`,
      {
        cause,
        hint: this.#hints.refused,
        details: { host, ...(from === undefined ? {} : { credentials: from }) },
      },
    );
  }

  #wanted(cause?: Error): AirgapError {
    const { host } = this.#options;
    return new AirgapError(
      'REGISTRY_UNAUTHORIZED',
      `${host} wants credentials, and there are none for it${because(cause)}`,
      {
        cause,
        hint: this.#hints.wanted,
        details: { host },
      },
    );
  }

  #held(scopes: readonly string[]): HeldToken | undefined {
    return this.#tokens.find((token) => covers(token.scopes, scopes));
  }

  async #choose(challenges: readonly Challenge[]): Promise<{ scheme: Scheme; asked: readonly string[] }> {
    const credential = await this.#credential();
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    if (bearer !== undefined && credential?.kind === 'bearer')
      return { scheme: { kind: 'given', authorization: `Bearer ${credential.token}` }, asked: [] };
    if (bearer !== undefined && this.#options.server !== 'web server') {
      const realm = this.#options.checkRealm(bearer.parameters.get('realm') ?? '');
      const scheme = { kind: 'bearer', realm, service: bearer.parameters.get('service') } as const;
      return { scheme, asked: parseScopes(bearer.parameters.get('scope')) };
    }
    if (!challenges.some((challenge) => challenge.scheme === 'basic')) throw this.#unknownScheme(challenges);
    if (credential === undefined) throw this.#wanted();
    if (credential.kind === 'basic')
      return {
        scheme: { kind: 'basic', authorization: basicAuthorization(credential.username, credential.password) },
        asked: [],
      };
    throw new AirgapError(
      'REGISTRY_UNAUTHORIZED',
      `${this.#options.host} wants a user name and password, and there is only a token for it`,
      { hint: this.#hints.password },
    );
  }

  #unknownScheme(challenges: readonly Challenge[]): AirgapError {
    const names = challenges.map((challenge) => challenge.scheme.slice(0, 20)).join(', ') || 'none';
    return new AirgapError(
      'REGISTRY_UNAUTHORIZED',
      `${this.#options.host} wants credentials of a kind that is not supported (it offers: ${names})`,
      { hint: this.#hints.schemes },
    );
  }

  async #renew(scopes: readonly string[], signal?: AbortSignal): Promise<HeldToken> {
    const key = scopes.join(' ');
    for (;;) {
      const running = this.#fetching.get(key);
      if (running === undefined) return this.#fetch(key, scopes, signal);
      try {
        return await untilAborted(running, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof AirgapError) throw error;
        // whoever fetched it was aborted; we were not
      }
    }
  }

  async #fetch(key: string, scopes: readonly string[], signal?: AbortSignal): Promise<HeldToken> {
    const started = this.#fetchOnce(scopes, signal).finally(() => this.#fetching.delete(key));
    this.#fetching.set(key, started);
    return started;
  }

  async #fetchOnce(scopes: readonly string[], signal?: AbortSignal): Promise<HeldToken> {
    const scheme = this.#scheme;
    const credential = await this.#credential();
    if (scheme?.kind !== 'bearer' || credential?.kind === 'bearer')
      throw new AirgapError('INTERNAL', 'a token is fetched where none is wanted');
    const request = { realm: scheme.realm, service: scheme.service, scopes, credential, signal };
    const { token, lifetime } = await this.#options.fetchToken(request).catch(async (error: unknown) => {
      throw isAirgapError(error, 'REGISTRY_UNAUTHORIZED') ? await this.refusal(error) : error;
    });
    const life = lifetime * 1000;
    const held = {
      scopes,
      authorization: `Bearer ${token}`,
      staleAt: this.#options.clock.now() + life - Math.min(MARGIN, life / 10),
    };
    this.#tokens = [...this.#tokens.filter((other) => !covers(scopes, other.scopes)), held];
    return held;
  }
}

function because(cause: Error | undefined): string {
  return cause === undefined ? '' : ` (${cause.message})`;
}
