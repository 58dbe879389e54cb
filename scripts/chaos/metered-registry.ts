// Our own registry server, with a meter: how many bytes of each blob really went either way, and when tags and receipts come. It
// is slowed down a little, so that every phase of a command lasts long enough to be killed in.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isDigest, type Digest } from '../../src/core/digest.ts';
import type { ByteStream } from '../../src/core/streams.ts';
import { memoryStore } from '../../src/registry/server/memory-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';
import type { RegistryStore, RepositoryStore, WritableRepositoryStore } from '../../src/registry/server/store.ts';
import { queuesFrom } from './socket-queues.ts';
import { Uploads } from './uploads.ts';

/** A pause of a millisecond comes after so many bytes of a body. */
const STRIDE = 256 * 1024;
/** Milliseconds before a question is answered, and before a manifest is stored. */
const ASKING = 5;
const STORING = 30;

export interface MeteredRegistry {
  readonly host: string;
  /** Serves this store from now on, and begins to count anew. @param known blobs that may be uploaded */
  serve(store: Required<RegistryStore>, known?: ReadonlyMap<Digest, Uint8Array>): void;
  /** Bytes of each blob and manifest that were sent. */
  readonly sent: ReadonlyMap<Digest, number>;
  /**
   * The client is stopped and will not take anything any more: what it was sent and has not taken off its sockets does not
   * count, nor does what it is still sent.
   */
  hangUp(): void;
  readonly uploads: Uploads;
  /** Told of the repository that is asked for, and of the tag that is about to be set in it. */
  observe(see: (repository: string, tag?: string) => void): void;
  /** Waits until no request is being worked on. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function meteredRegistry(): Promise<MeteredRegistry> {
  const meter = new Meter();
  const server = await serveRegistry(meter.store, { host: '127.0.0.1', port: 0, patience: { closing: 100 } });
  const forget = meter.listen(server.port);
  const close = async (): Promise<void> => {
    forget();
    await server.close();
  };
  return Object.assign(meter, { host: `127.0.0.1:${server.port}`, close });
}

const REQUESTS = 'http.server.request.start';

class Meter {
  #behind: Required<RegistryStore> = memoryStore();
  #see: (repository: string, tag?: string) => void = () => undefined;
  #running = 0;
  #port = 0;
  /** What was asked for last over each connection. */
  readonly #asked = new Map<Socket, Digest>();
  /** Grows when a client is gone. */
  #client = 0;
  sent = new Map<Digest, number>();
  uploads = new Uploads(new Map());

  readonly store: Required<RegistryStore> = {
    repositories: () => this.#behind.repositories(),
    repository: async (name) => {
      this.#see(name);
      const found = await this.#behind.repository(name);
      return found && this.#readable(found);
    },
    writable: async (name) => {
      this.#see(name);
      return this.#writable(name, await this.#behind.writable(name));
    },
  };

  serve(store: Required<RegistryStore>, known: ReadonlyMap<Digest, Uint8Array> = new Map()): void {
    this.#behind = store;
    this.sent = new Map();
    this.uploads = new Uploads(known);
    this.#asked.clear();
  }

  /** Answers how to stop listening. */
  listen(port: number): () => void {
    this.#port = port;
    const see = (message: unknown): void => this.#seeRequest(message as { request: IncomingMessage; socket: Socket });
    subscribe(REQUESTS, see);
    return () => unsubscribe(REQUESTS, see);
  }

  hangUp(): void {
    this.#client++;
    const queues = queuesFrom(readFileSync('/proc/net/tcp', 'utf8'), this.#port);
    for (const [socket, digest] of this.#asked) {
      const untaken = (queues.get(socket.remotePort ?? 0) ?? 0) + socket.writableLength;
      this.sent.set(digest, Math.max(0, (this.sent.get(digest) ?? 0) - untaken));
    }
    this.#asked.clear();
  }

  #seeRequest({ request, socket }: { request: IncomingMessage; socket: Socket }): void {
    const digest = request.url?.split('/').at(-1);
    if (socket.localPort !== this.#port) return;
    if (request.method === 'GET' && isDigest(digest)) this.#asked.set(socket, digest);
    else this.#asked.delete(socket);
  }

  observe(see: (repository: string, tag?: string) => void): void {
    this.#see = see;
  }

  async settled(): Promise<void> {
    // a request that the kernel still holds comes with the next turns of the loop
    for (let quiet = 0; quiet < 5; quiet = this.#running === 0 ? quiet + 1 : 0) await pause(2);
  }

  #readable(repository: RepositoryStore): RepositoryStore {
    const client = this.#client;
    return {
      ...repository,
      manifest: (reference) => this.#during(repository.manifest(reference), ASKING),
      blobSize: (digest) => this.#during(repository.blobSize(digest), ASKING),
      open: (digest, start, end) =>
        this.#slowly(repository.open(digest, start, end), (bytes) => {
          if (client === this.#client) this.sent.set(digest, (this.sent.get(digest) ?? 0) + bytes.byteLength);
        }),
    };
  }

  #writable(name: string, repository: WritableRepositoryStore): WritableRepositoryStore {
    return {
      ...repository,
      ...this.#readable(repository),
      appendUpload: (id, bytes) =>
        this.#during(
          repository.appendUpload(
            id,
            this.#slowly(bytes, (piece) => this.uploads.add(id, piece)),
          ),
        ),
      finishUpload: async (id, digest) => {
        const done = await this.#during(repository.finishUpload(id, digest), ASKING);
        if (done) this.uploads.finished(id, digest);
        return done;
      },
      putManifest: async (descriptor, bytes, tag) => {
        if (tag !== undefined) this.#see(name, tag);
        await this.#during(pause(STORING));
        await this.#during(repository.putManifest(descriptor, bytes, tag));
      },
    };
  }

  async #during<T>(task: Promise<T>, slower = 0): Promise<T> {
    this.#running++;
    try {
      if (slower > 0) await pause(slower);
      return await task;
    } finally {
      this.#running--;
    }
  }

  /** In small pieces: what the peer was not sent is not counted. */
  async *#slowly(stream: ByteStream, count: (piece: Uint8Array) => void): AsyncGenerator<Uint8Array> {
    this.#running++;
    try {
      let since = 0;
      for await (const bytes of stream) {
        for (let at = 0; at < bytes.byteLength; at += STRIDE / 4) {
          const piece = bytes.subarray(at, at + STRIDE / 4);
          count(piece);
          yield piece;
          since += piece.byteLength;
          if (since < STRIDE) continue;
          since = 0;
          await pause(1);
        }
      }
    } finally {
      this.#running--;
    }
  }
}
