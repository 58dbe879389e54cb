// One registry (OCI distribution-spec): what its repositories share, from its options. Loopback registries are spoken to
// in TLS where they speak it and in plain HTTP where they do not; beyond loopback plain HTTP needs `plainHttp`.
import { AirgapError } from '../core/errors.ts';
import type { Report } from '../core/events.ts';
import { isRepository } from '../oci/reference.ts';
import { discard } from './answer.ts';
import { BlobPusher } from './blobs.ts';
import { systemClock, type Clock } from './clock.ts';
import type { CredentialSource } from './credential.ts';
import { endpointOf } from './endpoint.ts';
import { isNotThere } from './http-error.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { Repository, type RepositoryContext } from './repository.ts';
import type { RouteOptions } from './routes.ts';
import type { Access } from './scope.ts';
import { Transport } from './transport.ts';
import type { UploadJournal } from './upload-journal.ts';
import { Wire, type Timeouts } from './wire.ts';

export interface RegistryOptions extends RouteOptions {
  /** Speak plain HTTP, beyond loopback too. */
  readonly plainHttp?: boolean | undefined;
  /** Asked for the host alone, not for a repository; anonymous access by default. */
  readonly credentials?: CredentialSource | undefined;
  /**
   * Where this registry is really fetched from: `https://host[:port][/prefix]`. Repository paths get the prefix; credentials
   * are those for the mirror's host, never the origin's. Plain http beyond loopback needs `plainHttp`.
   */
  readonly mirror?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Attempts after the first; 5 by default. */
  readonly retries?: number | undefined;
  /** Where upload sessions are remembered across processes; nowhere by default. */
  readonly uploads?: UploadJournal | undefined;
  /** Bytes of the first PATCH of a chunked upload; FIRST_CHUNK by default. Later ones are what goes in two seconds … */
  readonly chunkSize?: number | undefined;
  /** … and never more than this; 512 MiB by default. */
  readonly largestChunk?: number | undefined;
  /** Blobs larger than this are uploaded in chunks; one chunk by default, so that a killed upload costs one at most. */
  readonly chunkThreshold?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly timeouts?: Timeouts | undefined;
  /** Is told of requests and retries. */
  readonly report?: Report | undefined;
}

export interface RegistryStats {
  /** Requests sent, of every kind. */
  readonly requests: number;
  /** Attempts after a failure. */
  readonly retries: number;
  /** Blobs sent and mounted. */
  readonly uploads: number;
  readonly mounts: number;
}

const MIB = 1024 * 1024;

/** Bytes of an upload that a kill may cost before anything is known of how fast it goes. */
export const FIRST_CHUNK = 32 * MIB;

export class Registry {
  /** As given: `docker.io` though requests go to registry-1.docker.io. */
  readonly host: string;
  readonly #wire: Wire;
  readonly #shared: RepositoryContext;
  readonly #repositories = new Map<string, Repository>();

  /** @throws REFERENCE_INVALID, CONFIG_INVALID (mirror), TLS_REQUIRED, TLS_FAILED (ca) */
  constructor(host: string, options: RegistryOptions = {}) {
    const {
      plainHttp = false,
      retries = 5,
      chunkSize = FIRST_CHUNK,
      largestChunk = 512 * MIB,
      chunkThreshold = chunkSize,
      clock = systemClock,
    } = options;
    const endpoint = endpointOf(host, { mirror: options.mirror, plainHttp });
    this.host = host;
    this.#wire = new Wire(options);
    const transport = new Transport({
      endpoint,
      plainHttp,
      wire: this.#wire,
      clock,
      retries,
      credentials: options.credentials,
    });
    this.#shared = {
      transport,
      blobs: new BlobPusher(transport, { chunkSize, largestChunk, chunkThreshold, journal: options.uploads }),
      referrerUpdates: new KeyedQueue(),
      prefix: endpoint.prefix,
    };
  }

  get stats(): RegistryStats {
    return { requests: this.#wire.requests, retries: this.#shared.transport.retries, ...this.#shared.blobs.stats };
  }

  /** Finds out whether this is a registry that accepts us. @throws REGISTRY_PROTOCOL where it is none, the errors of any request */
  async ping(signal?: AbortSignal): Promise<void> {
    try {
      discard(await this.#shared.transport.send({ method: 'GET', target: '', scopes: [], signal }, [200]));
    } catch (cause) {
      if (!isNotThere(cause)) throw cause;
      throw new AirgapError('REGISTRY_PROTOCOL', `${this.host} is not a registry: there is no /v2/`, {
        cause,
        hint: 'Check host and port, and the proxies before it.',
      });
    }
  }

  /**
   * @param access `push` where something will be pushed, so that tokens allow it from the first request on; a repository
   * that is made for `pull` can be pushed to as well, where the registry does not hide what is not there
   * @throws REFERENCE_INVALID
   */
  repository(name: string, access: Access = 'pull'): Repository {
    const key = `${access}:${name}`;
    const known = this.#repositories.get(key);
    if (known) return known;
    if (!isRepository(name))
      throw new AirgapError('REFERENCE_INVALID', `not a repository: ${JSON.stringify(name.slice(0, 300))}`);
    const repository = new Repository(name, access, this.#shared);
    this.#repositories.set(key, repository);
    return repository;
  }

  /** Cuts what is under way and closes all connections. */
  async close(): Promise<void> {
    await this.#wire.close();
  }
}
