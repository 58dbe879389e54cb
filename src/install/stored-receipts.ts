// Receipts in the registry itself, as OCI artifacts in `<prefix>/eck-airgap/receipts`, so that the next installer finds them
// whatever machine it runs on. Each bundle has a tag of its own, which never moves (tags may be immutable there); the name
// of the bundle is a tag that moves to the last one loaded.
import { hexOf } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { artifact, type ArtifactBlob } from '../oci/artifact.ts';
import { contentOf, readBlob } from '../oci/content.ts';
import { readManifest } from '../oci/manifest.ts';
import { isNotThere } from '../registry/http-error.ts';
import type { Registry } from '../registry/registry.ts';
import type { Repository } from '../registry/repository.ts';
import { encodeReceipt, parseReceipt, RECEIPT_LIMIT, type Receipt } from './receipt.ts';
import type { RegistryAddress } from './registry-address.ts';

const RECEIPT_TYPE = 'application/vnd.eck-airgap.receipt.v1+json';
const REPOSITORY = 'eck-airgap/receipts';
/** Tags that are looked at, and receipts of the highest sequence that are read. */
const MAX_TAGS = 10_000;
const MAX_READ = 8;

type Bundled = Receipt['bundle'];

/** Path of the repository below the host. */
export function receiptRepository({ prefix }: RegistryAddress): string {
  return prefix === '' ? REPOSITORY : `${prefix}/${REPOSITORY}`;
}

export interface StoredReceipt {
  readonly receipt: Receipt;
  /** Full reference. */
  readonly where: string;
}

export class StoredReceipts {
  /** `HOST/PATH` of the repository. */
  readonly where: string;
  readonly #repository: Repository;
  readonly #signal: AbortSignal | undefined;

  constructor(registry: Registry, address: RegistryAddress, signal?: AbortSignal) {
    const name = receiptRepository(address);
    this.where = `${address.host}/${name}`;
    this.#repository = registry.repository(name, 'push');
    this.#signal = signal;
  }

  /**
   * The last receipt of bundles of that name, and those of the highest sequence. None where there is no such repository.
   * @throws CONFIG_INVALID, MANIFEST_INVALID, DIGEST_MISMATCH and the registry's errors
   */
  async read(name: string): Promise<StoredReceipt[]> {
    const read: StoredReceipt[] = [];
    for (const tag of [name, ...(await this.#highestTags(name))]) {
      const receipt = await this.#readTag(tag);
      if (receipt?.bundle.name === name) read.push({ receipt, where: `${this.where}:${tag}` });
    }
    return read;
  }

  /** Finds out whether anything can be stored here, by the part that all receipts share. @throws the registry's errors */
  async check(receipt: Receipt): Promise<void> {
    const [empty, , manifest] = receiptArtifact(receipt);
    if (!(await this.#holds(manifest))) await this.#push(empty);
  }

  /** Stores the receipt under the tag of its bundle; nothing is sent when it is there already. @throws the registry's errors */
  async store(receipt: Receipt): Promise<string> {
    const [empty, file, manifest] = receiptArtifact(receipt);
    for (const blob of [empty, file, manifest]) await this.#push(blob);
    const tag = ownTag(receipt.bundle);
    await this.#repository.tag(manifest.descriptor, tag, { signal: this.#signal });
    return `${this.where}:${tag}`;
  }

  /** Makes the name of the bundle a tag of this receipt, which is stored. @throws the registry's errors */
  async moveName(receipt: Receipt): Promise<string> {
    const [, , manifest] = receiptArtifact(receipt);
    await this.#repository.tag(manifest.descriptor, receipt.bundle.name, { signal: this.#signal });
    return `${this.where}:${receipt.bundle.name}`;
  }

  async #highestTags(name: string): Promise<string[]> {
    const found: { tag: string; sequence: number }[] = [];
    let seen = 0;
    try {
      for await (const tag of this.#repository.tags(this.#signal)) {
        const sequence = sequenceIn(tag, name);
        if (sequence !== undefined) found.push({ tag, sequence });
        if (++seen >= MAX_TAGS) break;
      }
    } catch (error) {
      if (!isNotThere(error)) throw error;
    }
    const highest = found.reduce((most, { sequence }) => Math.max(most, sequence), 0);
    return found.flatMap(({ tag, sequence }) => (sequence === highest ? [tag] : [])).slice(0, MAX_READ);
  }

  async #readTag(tag: string): Promise<Receipt | undefined> {
    const signal = this.#signal;
    try {
      const manifest = await readManifest(this.#repository, await this.#repository.resolve(tag, { signal }), {
        signal,
      });
      const layer = manifest.kind === 'manifest' ? manifest.layers[0] : undefined;
      if (layer?.mediaType !== RECEIPT_TYPE)
        throw new AirgapError('CONFIG_INVALID', `${this.where}:${tag} is not a receipt`);
      return parseReceipt(await readBlob(this.#repository, layer, { signal, limit: RECEIPT_LIMIT }));
    } catch (error) {
      if (isNotThere(error)) return undefined;
      throw error;
    }
  }

  async #push(blob: ArtifactBlob): Promise<void> {
    if (await this.#holds(blob)) return;
    await this.#repository.push(blob.descriptor, contentOf(blob.bytes), { signal: this.#signal });
  }

  #holds({ descriptor }: ArtifactBlob): Promise<boolean> {
    return this.#repository.exists(descriptor, { signal: this.#signal });
  }
}

/** `NAME-SEQUENCE-` and the first digits of the bundle's digest. */
function ownTag({ name, sequence, digest }: Bundled): string {
  return `${name}-${sequence}-${hexOf(digest).slice(0, 12)}`;
}

function sequenceIn(tag: string, name: string): number | undefined {
  if (!tag.startsWith(`${name}-`)) return undefined;
  const [, sequence] = /^([0-9]{1,16})-[0-9a-f]{12}$/.exec(tag.slice(name.length + 1)) ?? [];
  return sequence === undefined ? undefined : Number(sequence);
}

/** Empty config, the file, the manifest. */
export function receiptArtifact(receipt: Receipt): ReturnType<typeof artifact> {
  const name = `${receipt.bundle.name}.receipt.json`;
  return artifact({
    artifactType: RECEIPT_TYPE,
    layer: { name, mediaType: RECEIPT_TYPE, bytes: encodeReceipt(receipt) },
  });
}
