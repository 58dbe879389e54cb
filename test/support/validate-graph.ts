// A second opinion on a stored graph, with node:crypto and node:zlib alone: every digest and size is computed again, and for the
// layers of an image what its config says of them uncompressed (`rootfs.diff_ids`).
import { createHash } from 'node:crypto';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Fetcher } from '../../src/oci/target.ts';

interface Document {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

/** What is wrong with the graph below `root`, a line for each fault; empty when it is whole. */
export async function validateGraph(source: Fetcher, root: Descriptor): Promise<string[]> {
  const faults: string[] = [];
  const read = async (descriptor: Descriptor): Promise<Buffer | undefined> => {
    const bytes = await contents(source, descriptor).catch((error: unknown) => {
      faults.push(`${descriptor.digest}: ${String(error)}`);
    });
    if (!bytes) return undefined;
    if (bytes.byteLength !== descriptor.size) faults.push(`${descriptor.digest}: size ${bytes.byteLength}`);
    if (sha256(bytes) !== descriptor.digest) faults.push(`${descriptor.digest}: digest ${sha256(bytes)}`);
    return bytes;
  };
  const visit = async (descriptor: Descriptor): Promise<void> => {
    const bytes = await read(descriptor);
    if (!bytes || !/(?:index|manifest|manifest\.list)\.v[12]\+json$/.test(descriptor.mediaType)) return;
    const document = JSON.parse(bytes.toString()) as Document;
    for (const child of document.manifests ?? []) await visit(child);
    const layers: (Buffer | undefined)[] = [];
    for (const layer of document.layers ?? []) layers.push(await read(layer));
    const config = document.config && (await read(document.config));
    if (config) faults.push(...wrongDiffIds(config, layers));
  };
  await visit(root);
  return faults;
}

function wrongDiffIds(config: Buffer, layers: readonly (Buffer | undefined)[]): string[] {
  const { rootfs } = JSON.parse(config.toString()) as { rootfs?: { diff_ids: readonly string[] } };
  if (!rootfs) return []; // an artifact
  const found = layers.map((layer) => layer && sha256(uncompressed(layer)));
  return JSON.stringify(found) === JSON.stringify(rootfs.diff_ids)
    ? []
    : [`diff_ids ${String(rootfs.diff_ids)}, found ${String(found)}`];
}

function uncompressed(layer: Buffer): Buffer {
  const magic = layer.subarray(0, 4).toString('hex');
  if (magic.startsWith('1f8b')) return gunzipSync(layer);
  return magic === '28b52ffd' ? zstdDecompressSync(layer) : layer;
}

async function contents(source: Fetcher, descriptor: Descriptor): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.fetch(descriptor)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
