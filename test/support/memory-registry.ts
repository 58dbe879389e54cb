// A small registry in memory that does everything right (OCI distribution-spec 1.1), as plain functions of a request.
// It is written apart from src/registry/server, so that client and server are not wrong in the same way; how it is made
// to misbehave is faulty-registry.ts.
import { createHash } from 'node:crypto';

export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What is left of the request's body. */
  readonly read: () => Promise<Buffer>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
}

export interface StoredRepository {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { mediaType: string; bytes: Buffer }>;
  readonly tags: Map<string, string>;
}

export interface MemoryRegistryOptions {
  /** Whether there is a referrers API; true by default. */
  readonly referrers?: boolean;
  /** Whether `POST …/uploads/?digest=` is a whole upload, as the specification allows; true by default. */
  readonly singlePost?: boolean;
}

interface Upload {
  readonly repository: string;
  bytes: Buffer;
}

export class MemoryRegistry {
  readonly repositories = new Map<string, StoredRepository>();
  readonly uploads = new Map<string, Upload>();
  /** What is served by path, as a web server does. */
  readonly files = new Map<string, { bytes: Buffer; headers: Readonly<Record<string, string>> }>();
  readonly #options: MemoryRegistryOptions;
  #sessions = 0;

  constructor(options: MemoryRegistryOptions = {}) {
    this.#options = options;
  }

  repository(name: string): StoredRepository {
    const known = this.repositories.get(name) ?? { blobs: new Map(), manifests: new Map(), tags: new Map() };
    this.repositories.set(name, known);
    return known;
  }

  /** Stores without HTTP. */
  putBlob(name: string, bytes: Uint8Array): string {
    const digest = digestOfBytes(bytes);
    this.repository(name).blobs.set(digest, Buffer.from(bytes));
    return digest;
  }

  /** Stores without HTTP, under its digest and the tag. */
  putManifest(name: string, document: { mediaType: string; bytes: Uint8Array }, tag?: string): string {
    const digest = digestOfBytes(document.bytes);
    this.repository(name).manifests.set(digest, { mediaType: document.mediaType, bytes: Buffer.from(document.bytes) });
    if (tag !== undefined) this.repository(name).tags.set(tag, digest);
    return digest;
  }

  async handle(call: Call): Promise<Reply> {
    const file = this.files.get(call.url.pathname);
    if (file) return part(call, file.bytes, file.headers);
    if (call.url.pathname === '/v2/') return json(200, {});
    const [, name = '', area, rest = ''] =
      /^\/v2\/(.+?)\/(blobs\/uploads|blobs|manifests|referrers|tags)\/(.*)$/.exec(call.url.pathname) ?? [];
    switch (area) {
      case 'blobs':
        return this.#blob(call, name, rest);
      case 'blobs/uploads':
        return rest === '' ? this.#startUpload(call, name) : this.#upload(call, name, rest);
      case 'manifests':
        return call.method === 'PUT' ? this.#putManifest(call, name, rest) : this.#manifest(call, name, rest);
      case 'referrers':
        return this.#listReferrers(name, rest);
      case 'tags':
        return this.#listTags(call, name);
      default:
        return registryError(404, 'UNSUPPORTED');
    }
  }

  #blob(call: Call, name: string, digest: string): Reply {
    const bytes = this.repositories.get(name)?.blobs.get(digest);
    if (!bytes) return registryError(404, 'BLOB_UNKNOWN');
    return part(call, bytes, { 'docker-content-digest': digest });
  }

  async #startUpload(call: Call, name: string): Promise<Reply> {
    const { searchParams } = call.url;
    const mounted = searchParams.get('mount');
    const bytes = this.repositories.get(searchParams.get('from') ?? '')?.blobs.get(mounted ?? '');
    if (mounted !== null && bytes) {
      this.repository(name).blobs.set(mounted, bytes);
      return this.#created(name, 'blobs', mounted);
    }
    const id = `session-${++this.#sessions}`;
    this.uploads.set(id, { repository: name, bytes: Buffer.alloc(0) });
    const digest = searchParams.get('digest');
    return digest !== null && this.#options.singlePost !== false
      ? this.#finish(id, await call.read(), digest)
      : this.#accepted(id);
  }

  async #upload(call: Call, name: string, id: string): Promise<Reply> {
    const upload = this.uploads.get(id);
    if (upload?.repository !== name) return registryError(404, 'BLOB_UPLOAD_UNKNOWN');
    if (call.method === 'GET') return this.#accepted(id, 204);
    if (call.method === 'DELETE')
      return this.uploads.delete(id) ? { status: 204 } : registryError(404, 'BLOB_UPLOAD_UNKNOWN');
    const range = /^(?:bytes )?(\d+)-(\d+)/.exec(header(call, 'content-range') ?? '');
    if (range && Number(range[1]) !== upload.bytes.length) return this.#accepted(id, 416);
    const body = await call.read();
    if (call.method === 'PUT') return this.#finish(id, body, call.url.searchParams.get('digest') ?? '');
    upload.bytes = Buffer.concat([upload.bytes, body]);
    return this.#accepted(id);
  }

  #finish(id: string, body: Buffer, digest: string): Reply {
    const upload = this.uploads.get(id);
    if (!upload) return registryError(404, 'BLOB_UPLOAD_UNKNOWN');
    const bytes = Buffer.concat([upload.bytes, body]);
    if (digestOfBytes(bytes) !== digest) return registryError(400, 'DIGEST_INVALID');
    this.uploads.delete(id);
    this.repository(upload.repository).blobs.set(digest, bytes);
    return this.#created(upload.repository, 'blobs', digest);
  }

  /** The state of an upload, with a query in its Location as Distribution has one. */
  #accepted(id: string, status = 202): Reply {
    const upload = this.uploads.get(id);
    const size = upload?.bytes.length ?? 0;
    return {
      status,
      headers: {
        location: `/v2/${upload?.repository ?? ''}/blobs/uploads/${id}?_state=s%2Bt%3D`,
        'docker-upload-uuid': id,
        range: `0-${Math.max(size - 1, 0)}`,
      },
    };
  }

  #created(name: string, area: string, digest: string): Reply {
    return { status: 201, headers: { location: `/v2/${name}/${area}/${digest}`, 'docker-content-digest': digest } };
  }

  #manifest(_call: Call, name: string, reference: string): Reply {
    const repository = this.repositories.get(name);
    const digest = reference.includes(':') ? reference : (repository?.tags.get(reference) ?? '');
    const manifest = repository?.manifests.get(digest);
    if (!manifest) return registryError(404, 'MANIFEST_UNKNOWN');
    return {
      status: 200,
      headers: { 'content-type': manifest.mediaType, 'docker-content-digest': digest },
      body: manifest.bytes,
    };
  }

  async #putManifest(call: Call, name: string, reference: string): Promise<Reply> {
    const bytes = await call.read();
    const mediaType = header(call, 'content-type') ?? '';
    const digest = digestOfBytes(bytes);
    if (reference.includes(':') && reference !== digest) return registryError(400, 'DIGEST_INVALID');
    this.putManifest(name, { mediaType, bytes }, reference.includes(':') ? undefined : reference);
    const reply = this.#created(name, 'manifests', digest);
    const subject = subjectOf(bytes);
    return subject === undefined || this.#options.referrers === false
      ? reply
      : { ...reply, headers: { ...reply.headers, 'oci-subject': subject } };
  }

  #listReferrers(name: string, subject: string): Reply {
    if (this.#options.referrers === false)
      return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404 page not found\n') };
    const manifests = [...(this.repositories.get(name)?.manifests ?? [])]
      .filter(([, manifest]) => subjectOf(manifest.bytes) === subject)
      .map(([digest, { mediaType, bytes }]) => {
        const { artifactType } = JSON.parse(bytes.toString()) as { artifactType?: string };
        return { mediaType, digest, size: bytes.length, ...(artifactType === undefined ? {} : { artifactType }) };
      });
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    return { ...json(200, { schemaVersion: 2, mediaType, manifests }), headers: { 'content-type': mediaType } };
  }

  #listTags(call: Call, name: string): Reply {
    const repository = this.repositories.get(name);
    if (!repository) return registryError(404, 'NAME_UNKNOWN');
    const last = call.url.searchParams.get('last') ?? '';
    const all = [...repository.tags.keys()].sort().filter((tag) => tag > last);
    const page = all.slice(0, Number(call.url.searchParams.get('n') ?? 100));
    const reply = json(200, { name, tags: page });
    if (page.length === all.length) return reply;
    const link = `</v2/${name}/tags/list?n=${page.length}&last=${page.at(-1) ?? ''}>; rel="next"`;
    return { ...reply, headers: { ...reply.headers, link } };
  }
}

/** Content, or what Range asks for of it. */
function part(call: Call, bytes: Buffer, more: Readonly<Record<string, string>>): Reply {
  const headers = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', ...more };
  const range = /^bytes=(\d+)-(\d*)$/.exec(header(call, 'range') ?? '');
  if (!range || call.method === 'HEAD') return { status: 200, headers, body: bytes };
  const start = Number(range[1]);
  const end = range[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
  if (start > end)
    return { ...registryError(416, 'RANGE_INVALID'), headers: { 'content-range': `bytes */${bytes.length}` } };
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${bytes.length}` },
    body: bytes.subarray(start, end + 1),
  };
}

function digestOfBytes(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(value)) };
}

/** An error as the specification writes it. */
export function registryError(status: number, code: string, message = `this is ${code}`): Reply {
  return json(status, { errors: [{ code, message }] });
}

export function header(call: Pick<Call, 'headers'>, name: string): string | undefined {
  const value = call.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function subjectOf(bytes: Buffer): string | undefined {
  try {
    return (JSON.parse(bytes.toString()) as { subject?: { digest?: string } }).subject?.digest;
  } catch {
    return undefined;
  }
}
