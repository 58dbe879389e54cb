// A transfer with one of everything, for the page that a security officer signs.
import type { Contents } from '../../src/bundle/contents.ts';
import { contentsOfBundle } from '../../src/bundle/contents.ts';
import { differenceOf } from '../../src/bundle/difference.ts';
import type { Lock, LockedFile, LockedImage } from '../../src/bundle/lock.ts';
import { API_VERSION, type BundleManifest } from '../../src/bundle/manifest.ts';
import type { TransferFacts } from '../../src/bundle/transfer/page.ts';
import { digestOf } from '../../src/core/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';

const d = (of: string) => digestOf(Buffer.from(of));
const MIB = 1024 * 1024;

function image(name: string, more: Partial<LockedImage> = {}): LockedImage {
  return {
    name,
    digest: d(name),
    mediaType: OCI_MANIFEST,
    size: 1500,
    platforms: ['linux/amd64', 'linux/arm64'],
    totalSize: 700 * MIB,
    verified: 'none',
    accompanying: [],
    ...more,
  };
}

const use = (component: string, why: string) => ({ uses: [{ component, version: '9.5.2', why }] });
const cosign = { verified: { by: 'cosign', key: d('a key') } } as const;
const signature = { digest: d('signature'), mediaType: OCI_MANIFEST, size: 900 };

export const IMAGES: readonly LockedImage[] = [
  image('docker.elastic.co/eck/eck-operator:3.5.0', { ...use('eck-operator', 'runs the operator'), ...cosign }),
  image('docker.elastic.co/elasticsearch/elasticsearch:9.5.2', {
    ...use('elasticsearch', 'asked for in airgap.yaml'),
    ...cosign,
    accompanying: [signature, { ...signature, digest: d('attestation') }],
  }),
  image('docker.elastic.co/kibana/kibana:9.5.2', use('kibana', 'asked for in airgap.yaml')),
  image(
    'docker.elastic.co/package-registry/distribution:lite-9.5.2',
    use('package-registry', 'Kibana installs integrations from it'),
  ),
  image('registry.example/ours/app:1.0'),
  image('helm.elastic.co/charts/eck-operator:3.5.0', {
    artifact: true,
    ...use('eck-operator', 'installs the operator with Helm'),
    verified: { by: 'checksum', from: 'https://helm.elastic.co/index.yaml' },
    totalSize: 31_000,
  }),
];

export const FILES: readonly LockedFile[] = [
  { name: 'crds.yaml', digest: d('crds'), size: 900_000, verified: 'none', ...use('eck-operator', 'the CRDs of ECK') },
  {
    name: 'GPG-KEY-elasticsearch',
    digest: d('gpg'),
    size: 1765,
    verified: { by: 'fingerprint', key: '46095ACC8548582C1A2699A9D27D666CD88E42B4' },
    ...use('package-registry', 'checks signatures of packages'),
  },
  {
    name: 'eck-diagnostics_1.11.0_Linux_x86_64.tar.gz',
    digest: d('diag'),
    size: 12_000_000,
    verified: {
      by: 'checksum',
      from: 'https://github.com/elastic/eck-diagnostics/releases/download/1.11.0/checksums.txt',
    },
  },
  { name: 'dashboards.ndjson', digest: d('dash'), size: 40_000, verified: { by: 'checksum', from: 'airgap.yaml' } },
];

export const LOCK: Lock = {
  apiVersion: API_VERSION,
  kind: 'Lock',
  metadata: { name: 'site-alpha' },
  spec: d('spec'),
  platforms: ['linux/amd64', 'linux/arm64'],
  selection: {
    eck: '3.5.0',
    stack: ['9.5.2'],
    components: [],
    flavour: 'default',
    packageRegistry: 'lite',
    monitoring: false,
  },
  images: [...IMAGES],
  files: [...FILES],
};

export const MANIFEST: BundleManifest = {
  apiVersion: API_VERSION,
  kind: 'BundleManifest',
  name: 'site-alpha',
  lock: d('lock'),
  signatureSlots: 1,
  entries: IMAGES.map(({ digest, totalSize }) => ({
    path: `blobs/sha256/${digest.slice(7)}`,
    digest,
    size: totalSize,
  })),
  images: IMAGES.map(({ name, digest, mediaType, size, platforms, accompanying, artifact }) => ({
    name,
    digest,
    mediaType,
    size,
    platforms,
    accompanying,
    ...(artifact === undefined ? {} : { artifact }),
  })),
  files: [
    { name: 'airgap.lock.yaml', digest: d('lock'), size: 9000, mediaType: 'application/yaml' },
    { name: 'sbom.cdx.json', digest: d('sbom'), size: 21_000, mediaType: 'application/json' },
    ...FILES.map(({ name, digest, size }) => ({ name, digest, size, mediaType: 'application/octet-stream' })),
  ],
  installers: [],
  sequence: 7,
  expires: '2030-12-31T23:59:59Z',
};

/** What was there before: Kibana in an older build, a file more, and no image of ours. */
export function earlier(): Contents {
  const { images, files, blobs } = contentsOfBundle(MANIFEST, LOCK);
  const before = new Map(images);
  before.delete('registry.example/ours/app:1.0');
  const kibana = images.get('docker.elastic.co/kibana/kibana:9.5.2');
  if (kibana)
    before.set('docker.elastic.co/kibana/kibana:9.5.2', {
      ...kibana,
      digest: d('old kibana'),
      verified: cosign.verified,
    });
  const left = new Map([...files, ['old-notes.txt', { digest: d('notes'), size: 10 }] as const]);
  return { images: before, files: left, ...(blobs === undefined ? {} : { blobs: new Map([...blobs].slice(1)) }) };
}

export const FACTS: TransferFacts = {
  files: [1, 2].map((i) => ({
    path: `site-alpha.tar.00${i}`,
    size: 1_700_000_000 + i,
    sha256: d(`volume ${i}`).slice(7),
  })),
  installers: [{ path: 'eck-airgap-linux-x64', size: 91_000_000, sha256: d('program').slice(7) }],
  fingerprint: d('a public key'),
  bundleDigest: d('bundle.json'),
  lock: LOCK,
  sizes: {
    images: new Map(IMAGES.map(({ name }, i) => [name, { own: (300 + i) * MIB, shared: 70 * MIB }])),
    total: 1590 * MIB,
  },
  handover: {
    system: 'Observability, enclave A',
    requestedBy: 'A. Engineer',
    approvedBy: 'S. Officer',
    date: '2026-11-28',
  },
  since: {
    name: 'site-alpha.tar',
    digest: d('old bundle'),
    difference: differenceOf(earlier(), contentsOfBundle(MANIFEST, LOCK)),
  },
  version: '0.1.0',
};
