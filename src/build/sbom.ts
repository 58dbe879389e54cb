// The software bill of materials of a bundle: CycloneDX 1.6 as canonical JSON. It lists what the bundle holds, down to the
// image for each platform; what is inside an image is for a scanner to say. No clock and no random number is in it.
import { canonicalJson } from '../core/canonical-json.ts';
import { digestOf, hexOf, type Digest } from '../core/digest.ts';
import type { HeldImage } from '../bundle/held-images.ts';
import { describeUse, describeVerified, type LockedFile, type LockedImage } from '../bundle/lock.ts';
import type { BundleFile, BundleInstaller } from '../bundle/manifest.ts';
import { parseReference } from '../oci/reference.ts';
import { downloadPurl, genericPurl, ociPurl } from './purl.ts';

export const SBOM_MEDIA_TYPE = 'application/vnd.cyclonedx+json; version=1.6';

export const TOOL = 'eck-airgap';

export interface SbomOptions {
  /** The bundle's. */
  readonly name: string;
  /** Of this program. */
  readonly version: string;
  readonly images: readonly HeldImage[];
  /** Where each image and file comes from, why it is there, and what vouched for it. */
  readonly lock: { readonly images: readonly LockedImage[]; readonly files: readonly LockedFile[] };
  /** Files of the bundle, the lock among them. */
  readonly files: readonly BundleFile[];
  readonly installers: readonly BundleInstaller[];
}

/** A pure function of its options. */
export function encodeSbom(options: SbomOptions): Buffer {
  const document = describe(options);
  return canonicalJson({ ...document, serialNumber: `urn:uuid:${uuidOf(digestOf(canonicalJson(document)))}` });
}

const BUNDLE_REF = 'bundle';

function describe({ name, version, images, lock, files, installers }: SbomOptions): Record<string, unknown> {
  const lockedImages = new Map(lock.images.map((image) => [image.name, image]));
  const lockedFiles = new Map(lock.files.map((file) => [file.name, file]));
  const carried = images.map((image) => imageComponent(image, lockedImages.get(image.name)));
  const components = [
    ...carried,
    ...files.map((file) => fileComponent(file, lockedFiles.get(file.name))),
    ...installers.map((installer) => installerComponent(installer, version)),
  ];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      lifecycles: [{ phase: 'build' }],
      tools: { components: [{ type: 'application', name: TOOL, version, purl: genericPurl(TOOL, version) }] },
      component: { type: 'file', 'bom-ref': BUNDLE_REF, name: `${name}.tar`, 'mime-type': 'application/x-tar' },
    },
    components,
    dependencies: [{ ref: BUNDLE_REF, dependsOn: components.map((component) => component['bom-ref']) }],
    // What is in the bundle is all listed; what is in an image is not.
    compositions: [
      { aggregate: 'complete', assemblies: [BUNDLE_REF] },
      ...(carried.length === 0
        ? []
        : [{ aggregate: 'incomplete', assemblies: carried.map((component) => component['bom-ref']) }]),
    ],
  };
}

interface Component extends Record<string, unknown> {
  readonly 'bom-ref': string;
}

function imageComponent(image: HeldImage, locked?: LockedImage): Component {
  const { from, chart } = locked ?? {};
  const { name, digest, original, artifact, byPlatform, accompanying } = image;
  const { registry, repository, tag } = parseReference(name);
  const own = { name: `${registry}/${repository}`, version: tag };
  const children = byPlatform
    .filter(({ descriptor }) => descriptor.digest !== digest)
    .map(({ platform, descriptor }) => ({
      type: 'container',
      ...own,
      purl: ociPurl(from ?? name, { digest: descriptor.digest, platform }),
      hashes: hashes(descriptor.digest),
      properties: [property('platform', platform)],
    }));
  const attached = accompanying.map(({ digest: other, mediaType, artifactType, tag: otherTag }) => ({
    type: 'data',
    name: otherTag ?? other,
    'mime-type': artifactType ?? mediaType,
    hashes: hashes(other),
  }));
  const [only, ...more] = byPlatform;
  const single = only !== undefined && more.length === 0 && only.descriptor.digest === digest;
  return {
    type: artifact === true ? 'application' : 'container',
    'bom-ref': name,
    ...own,
    purl:
      chart === undefined
        ? ociPurl(from ?? name, { digest, ...(single ? { platform: only.platform } : {}) })
        : downloadPurl(chart.name, chart),
    hashes: hashes(digest),
    properties: optional([
      ...(single ? [property('platform', only.platform)] : []),
      ...(original === undefined ? [] : [property('original', original.digest)]),
      ...(from === undefined ? [] : [property('from', from)]),
      ...lockProperties(locked),
    ]),
    components: optional(distinct([...children, ...attached])),
  };
}

function fileComponent({ name, mediaType, digest }: BundleFile, locked?: LockedFile): Component {
  return {
    type: 'file',
    'bom-ref': `file:${name}`,
    name,
    'mime-type': mediaType,
    purl: locked?.url === undefined ? undefined : downloadPurl(name, { url: locked.url, digest }),
    hashes: hashes(digest),
    properties: optional(lockProperties(locked)),
  };
}

function lockProperties(locked?: LockedImage | LockedFile): { name: string; value: string }[] {
  if (locked === undefined) return [];
  const { uses = [], verified } = locked;
  return [
    ...uses.map((use) => property('use', `${describeUse(use)}: ${use.why}`)),
    property('verified', describeVerified(verified)),
  ];
}

function installerComponent({ name, digest }: BundleInstaller, version: string): Component {
  return { type: 'application', 'bom-ref': `installer:${name}`, name, version, hashes: hashes(digest) };
}

function hashes(digest: Digest): { alg: string; content: string }[] {
  return [{ alg: 'SHA-256', content: hexOf(digest) }];
}

function property(name: string, value: string): { name: string; value: string } {
  return { name: `${TOOL}:${name}`, value };
}

function optional<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** An index can name one image for two platforms of one architecture. */
function distinct<T>(list: readonly T[]): T[] {
  return [...new Map(list.map((item) => [canonicalJson(item).toString(), item])).values()];
}

/** A UUID of version 8 (RFC 9562): the first bits of a sha256, so that other content has another number. */
function uuidOf(digest: Digest): string {
  const bytes = Buffer.from(hexOf(digest), 'hex').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
