// Who may use the registries of the tests: basic, or bearer with a token service beside the registry (distribution's
// token authentication: GET with basic, POST with a refresh token).
import { header, json, registryError, type Call, type Reply } from './memory-registry.ts';

export interface AuthRules {
  readonly kind: 'basic' | 'bearer';
  readonly username?: string;
  readonly password?: string;
  /** What POST takes instead of a password. */
  readonly refreshToken?: string;
  /** Whether the token service gives tokens to anybody; false by default. */
  readonly anonymous?: boolean;
  /** Seconds, as the token service says; absent by default. */
  readonly expiresIn?: number;
  /**
   * Whether tokens are for their scopes alone, and none lets one see that a repository is not there but one for pushing to it
   * (as Quay and Docker Hub have it); by default a token is for everything.
   */
  readonly hides?: boolean;
}

/** Where the token service is, on the registry's own origin. */
export const TOKEN_PATH = '/token';

export class RegistryAuth {
  readonly #rules: AuthRules;
  #password: string;
  /** Each with the scopes that it was given out for. */
  readonly #valid = new Map<string, readonly string[]>();
  readonly #isThere: (repository: string) => boolean;
  /** Tokens given out so far. */
  issued = 0;

  constructor(rules: AuthRules, isThere: (repository: string) => boolean = () => true) {
    this.#rules = rules;
    this.#isThere = isThere;
    this.#password = rules.password ?? 's3cret';
  }

  /** From now on this password is wanted; tokens that were given out still hold. */
  changePassword(password: string): void {
    this.#password = password;
  }

  /** No token that was given out is accepted any longer. */
  expireTokens(): void {
    this.#valid.clear();
  }

  /** The reply that refuses a call, or undefined when it is authorized. */
  refuse(call: Call, origin: string): Reply | undefined {
    const authorization = header(call, 'authorization') ?? '';
    const allowed =
      this.#rules.kind === 'basic'
        ? this.#isUser(authorization)
        : this.#isAllowed(call, this.#valid.get(authorization.replace(/^Bearer /, '')));
    if (allowed) return undefined;
    const reply = registryError(401, 'UNAUTHORIZED');
    return { ...reply, headers: { ...reply.headers, 'www-authenticate': this.challenge(call, origin) } };
  }

  challenge(call: Call, origin: string): string {
    if (this.#rules.kind === 'basic') return 'Basic realm="test"';
    const name = repositoryOf(call);
    const actions = isReading(call) ? 'pull' : 'pull,push';
    const scope = name === undefined ? '' : `,scope="repository:${name}:${actions}"`;
    return `Bearer realm="${origin}${TOKEN_PATH}",service="test"${scope}`;
  }

  async token(call: Call): Promise<Reply> {
    const form = call.method === 'POST' ? new URLSearchParams((await call.read()).toString()) : undefined;
    const { refreshToken, anonymous, expiresIn } = this.#rules;
    const known = form
      ? refreshToken !== undefined && form.get('refresh_token') === refreshToken
      : this.#isUser(header(call, 'authorization') ?? '');
    const nobody = form === undefined && header(call, 'authorization') === undefined;
    if (!known && !(anonymous === true && nobody)) return registryError(401, 'UNAUTHORIZED');
    const token = `token-${++this.issued}`;
    this.#valid.set(
      token,
      (form ?? call.url.searchParams).getAll('scope').flatMap((scope) => scope.split(' ')),
    );
    return json(200, { token, access_token: token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) });
  }

  #isAllowed(call: Call, scopes: readonly string[] | undefined): boolean {
    const name = repositoryOf(call);
    if (scopes === undefined || this.#rules.hides !== true || name === undefined) return scopes !== undefined;
    const actions =
      scopes
        .find((scope) => scope.startsWith(`repository:${name}:`))
        ?.split(':')
        .at(-1)
        ?.split(',') ?? [];
    return actions.includes('push') || (isReading(call) && actions.includes('pull') && this.#isThere(name));
  }

  #isUser(authorization: string): boolean {
    const { username = 'alice' } = this.#rules;
    return authorization === `Basic ${Buffer.from(`${username}:${this.#password}`).toString('base64')}`;
  }
}

function repositoryOf(call: Call): string | undefined {
  return /^\/v2\/(.+?)\/(?:blobs|manifests|referrers|tags)\//.exec(call.url.pathname)?.[1];
}

function isReading({ method }: Call): boolean {
  return method === 'GET' || method === 'HEAD';
}
