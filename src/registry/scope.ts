// Scopes of the distribution token specification: `repository:<name>:<action>[,<action>]`. One scope is one string; a set
// of them is what a request needs, or what a token was asked for.

/**
 * What a repository is used for; `push` is pull and push. A registry that hides what one may not read (Quay, Docker Hub)
 * says that a repository is not there only to those who may push to it, so where there will be pushes, reading asks for both.
 */
export type Access = 'pull' | 'push';

/** What requests to a repository need. */
export function repositoryScope(name: string, access: Access): string {
  return `repository:${name}:${access === 'push' ? 'pull,push' : 'pull'}`;
}

/** Whether a token for `granted` is one for `wanted` too. */
export function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((scope) => {
    const { resource, actions } = split(scope);
    const own = granted.map(split).filter((other) => other.resource === resource);
    return own.some((other) => actions.every((action) => other.actions.includes(action)));
  });
}

/** Both sets as one, each resource once, in a fixed order. */
export function mergeScopes(a: readonly string[], b: readonly string[]): string[] {
  const merged = new Map<string, Set<string>>();
  for (const { resource, actions } of [...a, ...b].map(split)) {
    merged.set(resource, new Set([...(merged.get(resource) ?? []), ...actions]));
  }
  return [...merged].map(([resource, actions]) => `${resource}:${[...actions].sort().join(',')}`).sort();
}

/** The scopes of a challenge, few and plain ones only. */
export function parseScopes(text: string | undefined): string[] {
  const scopes = (text ?? '')
    .split(' ')
    .filter((scope) => /^[a-z]+(?:\([a-z]+\))?:[\x21-\x7e]{1,400}:[a-z*,]{1,60}$/.test(scope));
  return scopes.slice(0, 8);
}

function split(scope: string): { resource: string; actions: string[] } {
  const colon = scope.lastIndexOf(':');
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(',') };
}
