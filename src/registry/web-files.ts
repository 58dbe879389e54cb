// Files on web servers: download sites and chart repositories. What registries hold is repository.ts. Credentials are those
// for the host that is really contacted, and go to it alone, when it asks for them.
import type { BorrowedStream, ByteStream } from '../core/streams.ts';
import { systemClock } from './clock.ts';
import { lendReceived } from './received.ts';
import type { RegistryOptions } from './registry.ts';
import { Transport } from './transport.ts';
import { checkIndexedUrl } from './url-policy.ts';
import { atAddress, webAddress, type WebAddress } from './web-address.ts';
import { downloadFile, refuseEndless, type WebFile } from './web-download.ts';
import { Wire } from './wire.ts';

export interface WebFiles {
  /**
   * A small file, whole: an index, a list of checksums.
   * @throws CONTENT_MISSING (404, 410), REGISTRY_UNREACHABLE, REGISTRY_PROTOCOL over the limit, and the errors of any request
   */
  read(url: string, options: ReadOptions): Promise<Buffer>;
  /** A file of any size. Nothing happens before the first chunk is asked for. @throws as `read`, but for the limit */
  fetch(url: string, options?: WebFetchOptions): ByteStream;
  /** The same for who moves or hashes it and keeps nothing. */
  borrow(url: string, options?: WebFetchOptions): BorrowedStream;
  close(): Promise<void>;
}

export interface ReadOptions {
  /** Bytes that are accepted at most. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

export interface WebFetchOptions {
  /** Bytes of the whole, where they are known: a download that breaks off is then gone on with, and never longer. */
  readonly size?: number | undefined;
  /** First byte wanted; 0 by default. */
  readonly start?: number | undefined;
  /**
   * URL of the index that names the file. Beyond the origin of that, and where no mirror of the user's is, a file gets no
   * credentials and must be at an address that a server may send us to (url-policy.ts).
   */
  readonly foundAt?: string | undefined;
  /** Called with the bytes of the whole, where only the server knows them, before the first chunk; a rejection ends the download. */
  readonly announced?: ((size: number) => Promise<void>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What holds for every server; what is for uploads alone is left out. */
export interface WebFilesOptions extends Omit<
  RegistryOptions,
  'mirror' | 'uploads' | 'chunkSize' | 'largestChunk' | 'chunkThreshold'
> {
  /**
   * `host[:port]` to where its files are really fetched from: `https://host[:port][/prefix]`. The whole path of the original
   * follows the prefix. Plain http beyond loopback needs `plainHttp`, for mirrors and originals.
   */
  readonly mirrors?: Readonly<Record<string, string>> | undefined;
  /** Bytes of a file whose length its server does not say, at most; 4 GiB by default. */
  readonly unannouncedLimit?: number | undefined;
}

/** @throws TLS_FAILED (ca) */
export function openWebFiles(options: WebFilesOptions = {}): WebFiles {
  const { mirrors = {}, plainHttp = false, unannouncedLimit } = options;
  const wire = new Wire(options);
  const transports = new Map<string, Transport>();
  const fileAt = ({ target }: WebAddress): WebFile => {
    const transport = transports.get(target.origin) ?? openTransport(target, wire, options);
    transports.set(target.origin, transport);
    return { transport, call: { target, scopes: [] } };
  };
  const fetch = async function* (url: string, how: WebFetchOptions = {}): AsyncGenerator<Uint8Array> {
    const { size, start, foundAt, announced, signal } = how;
    const address = webAddress(url, { mirrors, plainHttp });
    const { origin } = webAddress(foundAt ?? url, { mirrors, plainHttp }).target;
    const { transport, call } = fileAt(address);
    try {
      const anonymous = !address.mirrored && address.target.origin !== origin;
      if (anonymous) checkIndexedUrl(address.target.href, { origin: new URL(origin), plainHttp });
      const file = { transport, call: { ...call, anonymous } };
      yield* downloadFile(file, size, { start, announced, unannouncedLimit, signal });
    } catch (error) {
      throw error === signal?.reason ? error : atAddress(error, address);
    }
  };
  return {
    read: async (url, { limit, signal }) => {
      const address = webAddress(url, { mirrors, plainHttp });
      const { transport, call } = fileAt(address);
      try {
        const { answer, bytes } = await transport.read({ ...call, method: 'GET', signal, elsewhere: true }, limit);
        refuseEndless(answer);
        return bytes;
      } catch (error) {
        throw error === signal?.reason ? error : atAddress(error, address);
      }
    },
    fetch,
    borrow: (url, how) => lendReceived(fetch(url, how)),
    close: () => wire.close(),
  };
}

function openTransport({ origin, host }: URL, wire: Wire, options: WebFilesOptions): Transport {
  const { plainHttp = false, retries = 5, clock = systemClock, credentials } = options;
  const endpoint = { credentialHost: host, origin: new URL(origin) };
  return new Transport({ endpoint, server: 'web server', plainHttp, wire, clock, retries, credentials });
}
