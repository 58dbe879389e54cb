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
}

/** Where the token service is, on the registry's own origin. */
export const TOKEN_PATH = '/token';

export class RegistryAuth {
  readonly #rules: AuthRules;
  #password: string;
  readonly #valid = new Set<string>();
  /** Tokens given out so far. */
  issued = 0;

  constructor(rules: AuthRules) {
    this.#rules = rules;
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
        : this.#valid.has(authorization.replace(/^Bearer /, ''));
    if (allowed) return undefined;
    const reply = registryError(401, 'UNAUTHORIZED');
    return { ...reply, headers: { ...reply.headers, 'www-authenticate': this.challenge(call, origin) } };
  }

  challenge(call: Call, origin: string): string {
    if (this.#rules.kind === 'basic') return 'Basic realm="test"';
    const name = /^\/v2\/(.+?)\/(?:blobs|manifests|referrers|tags)\//.exec(call.url.pathname)?.[1];
    const actions = call.method === 'GET' || call.method === 'HEAD' ? 'pull' : 'pull,push';
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
    this.#valid.add(token);
    return json(200, { token, access_token: token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) });
  }

  #isUser(authorization: string): boolean {
    const { username = 'alice' } = this.#rules;
    return authorization === `Basic ${Buffer.from(`${username}:${this.#password}`).toString('base64')}`;
  }
}
