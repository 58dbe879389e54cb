// One request with what the router found out about it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDigest, type Digest } from '../../core/digest.ts';
import { RegistryFailure } from './reply.ts';
import type { RegistryStore, RepositoryStore, WritableRepositoryStore } from './store.ts';
import type { UploadTurns } from './upload-turns.ts';

/** What all requests to one server share. */
export interface Served {
  readonly store: RegistryStore;
  readonly turns: UploadTurns;
}

export interface Exchange extends Served {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly method: string;
  readonly query: URLSearchParams;
  /** Repository name, checked against the grammar; empty where the path has none. */
  readonly name: string;
  /** What follows it in the path: tag, digest or upload id. */
  readonly reference: string;
}

/** @throws NAME_UNKNOWN */
export async function repositoryOf({ store, name }: Exchange): Promise<RepositoryStore> {
  const repository = await store.repository(name);
  if (!repository) throw new RegistryFailure('NAME_UNKNOWN', `no repository ${name}`);
  return repository;
}

/** @throws UNSUPPORTED for a read-only registry */
export async function writableOf({ store, name }: Exchange): Promise<WritableRepositoryStore> {
  if (!store.writable) throw new RegistryFailure('UNSUPPORTED', 'this registry is read-only');
  return store.writable(name);
}

/** @throws DIGEST_INVALID */
export function digestOfText(text: string | null): Digest {
  if (isDigest(text)) return text;
  throw new RegistryFailure('DIGEST_INVALID', 'not a sha256 digest');
}

/** @throws UNSUPPORTED (405) naming what is allowed */
export function methodNotAllowed(allowed: string): RegistryFailure {
  return new RegistryFailure('UNSUPPORTED', `only ${allowed} is possible here`, { headers: { allow: allowed } });
}
