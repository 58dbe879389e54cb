// What proves who we are to a registry, and where it comes from. Reading files and helpers is in credentials.ts; using
// them is in auth.ts.

export type Credential = (
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** A refresh token, exchanged for access tokens (OAuth2). */
  | { readonly kind: 'identity-token'; readonly token: string; readonly username?: string | undefined }
  /** An access token, sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }
) & {
  /** Where it came from, for messages: a file, a helper. */
  readonly from?: string;
};

export interface CredentialSource {
  /**
   * The credential for `host[:port]`, or undefined for anonymous access. A `repository` (its path, without the host)
   * finds those that podman scopes to a path, too. @throws CREDENTIALS_INVALID
   */
  find(registryHost: string, repository?: string): Promise<Credential | undefined>;
}
