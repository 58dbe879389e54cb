// Which files a bundle holds because of what was chosen of the catalogue, as data: where each is published, what vouches for
// it, and what it is there for. Charts are carried as images and are not among them.
import type { LockedSelection, Use } from '../bundle/lock.ts';
import type { Catalogue } from './components.ts';
import { eckDiagnosticsArchives, operatorManifests, signingKeyFile, type PublishedFile } from './files.ts';
import { USUAL_PLATFORMS } from './published.ts';

export interface FollowingFile extends PublishedFile {
  /** `manifest`: of Kubernetes, and names images. `checksums`: the list that an `archive` names. */
  readonly kind: 'manifest' | 'archive' | 'checksums' | 'key';
  /** The key that it must be: its OpenPGP fingerprint, upper-case hex. */
  readonly fingerprint?: string;
  readonly use: Use;
  /** What there is no bundle of without it: `ECK 3.5.0`. */
  readonly neededBy: string;
}

export interface FilesForOptions {
  readonly catalogue: Catalogue;
  /** `all`: of programs, those that images are usually published for. */
  readonly platforms: 'all' | readonly string[];
}

/** The same choice gives the same files, in the same order. @throws VERSION_INVALID */
export function filesFor(
  { eck, diagnostics }: Pick<LockedSelection, 'eck' | 'diagnostics'>,
  { catalogue, platforms }: FilesForOptions,
): FollowingFile[] {
  return [
    ...manifests(eck),
    ...(diagnostics === undefined ? [] : programs(diagnostics, platforms)),
    ...keys(eck, catalogue),
  ];
}

const REASONS: Readonly<Record<string, string>> = {
  'crds.yaml': 'installs the CRDs of ECK',
  'operator.yaml': 'installs the operator without Helm',
};

function manifests(eck: string): FollowingFile[] {
  return operatorManifests(eck).map(({ name, url }) => ({
    name: `eck-${eck}-${name}`,
    url,
    kind: 'manifest',
    use: { component: 'eck-operator', version: eck, why: REASONS[name] ?? 'belongs to ECK' },
    neededBy: `ECK ${eck}`,
  }));
}

function programs(version: string, platforms: FilesForOptions['platforms']): FollowingFile[] {
  const archives = eckDiagnosticsArchives(version, platforms === 'all' ? USUAL_PLATFORMS : platforms);
  const lists = [...new Set(archives.flatMap(({ checksums }) => checksums ?? []))];
  const about = (why: string): Pick<FollowingFile, 'use' | 'neededBy'> => ({
    use: { component: 'eck-diagnostics', version, why },
    neededBy: `eck-diagnostics ${version}`,
  });
  return [
    ...archives.map((archive): FollowingFile => ({
      ...archive,
      kind: 'archive',
      ...about('collects diagnostics of a cluster'),
    })),
    ...lists.map((url): FollowingFile => ({
      name: `eck-diagnostics_${version}_checksums.txt`,
      url,
      kind: 'checksums',
      ...about('has the checksums of its archives'),
    })),
  ];
}

function keys(eck: string, { signingKeys }: Catalogue): FollowingFile[] {
  return signingKeys.map((key) => ({
    ...signingKeyFile(key),
    kind: 'key',
    fingerprint: key.fingerprint,
    use: { component: 'signing-keys', why: 'checks what Elastic signs: packages, and what agents download' },
    neededBy: `ECK ${eck}`,
  }));
}
