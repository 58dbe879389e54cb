// Raw requests to a registry, as the distribution specification writes them.
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Codes of the specification's error body. */
  readonly codes: readonly string[];
}

export interface Ask {
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

export interface Api {
  (method: string, path: string, ask?: Ask): Promise<Answer>;
  /** Pushes a blob in one request after a POST; answers its digest. */
  pushBlob(repository: string, content: Buffer): Promise<string>;
  pushManifest(repository: string, reference: string, manifest: unknown, mediaType?: string): Promise<Answer>;
}

export function api(url: string): Api {
  const ask = async (method: string, path: string, options: Ask = {}): Promise<Answer> => {
    const target = path.startsWith('http') ? path : `${url}${path}`;
    const { statusCode, headers, body } = await request(target, {
      method: method as 'GET',
      headers: options.headers ?? {},
      body: options.body ?? null,
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    return { status: statusCode, headers: headers as Record<string, string>, body: bytes, codes: codesOf(bytes) };
  };
  return Object.assign(ask, {
    pushBlob: async (repository: string, content: Buffer) => {
      const started = await ask('POST', `/v2/${repository}/blobs/uploads/`);
      const digest = sha256(content);
      await ask('PUT', `${started.headers['location'] ?? ''}?digest=${digest}`, {
        body: content,
        headers: { 'content-type': 'application/octet-stream' },
      });
      return digest;
    },
    pushManifest: (repository: string, reference: string, manifest: unknown, mediaType = OCI_MANIFEST) =>
      ask('PUT', `/v2/${repository}/manifests/${reference}`, {
        body: JSON.stringify(manifest),
        headers: { 'content-type': mediaType },
      }),
  });
}

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function codesOf(body: Buffer): string[] {
  try {
    const { errors = [] } = JSON.parse(body.toString()) as { errors?: { code: string }[] };
    return errors.map(({ code }) => code);
  } catch {
    return [];
  }
}
