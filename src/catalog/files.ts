// The files that belong to a release of ECK, and the keys that Elastic signs with: addresses and pins as data. Which of them
// a bundle holds is following-files.ts; fetching and checking them is for `lock` and `build`.
import type { SigningKey } from './components.ts';
import { formatVersion, parseVersion } from './version.ts';

export interface PublishedFile {
  readonly name: string;
  readonly url: string;
  /** A list of sha256 sums that the publisher keeps beside it. */
  readonly checksums?: string;
}

export interface Chart {
  readonly name: string;
  readonly version: string;
  /** URL of the chart repository that has it. */
  readonly repository: string;
}

const ARTIFACTS = 'https://artifacts.elastic.co';
const ECK_DOWNLOADS = 'https://download.elastic.co/downloads/eck';
const HELM_REPOSITORY = 'https://helm.elastic.co';
const ECK_DIAGNOSTICS = 'https://github.com/elastic/eck-diagnostics/releases/download';

/** Chart eck-stack, and the charts in it, by exact release of ECK: they count on their own. */
export const stackChartVersions: Readonly<Record<string, string>> = {
  '2.16.0': '0.14.0',
  '2.16.1': '0.14.0',
  '3.0.0': '0.15.0',
  '3.1.0': '0.16.0',
  '3.2.0': '0.17.0',
  '3.3.0': '0.18.0',
  '3.3.1': '0.18.0',
  '3.3.2': '0.18.1',
  '3.4.0': '0.19.0',
  '3.4.1': '0.19.1',
  '3.5.0': '0.20.0',
};

/** The manifests an installation without Helm starts from. @throws VERSION_INVALID */
export function operatorManifests(eckVersion: string): readonly PublishedFile[] {
  const version = formatVersion(parseVersion(eckVersion));
  return ['crds.yaml', 'operator.yaml'].map((name) => ({ name, url: `${ECK_DOWNLOADS}/${version}/${name}` }));
}

/**
 * eck-operator and its CRDs have ECK's version.
 * @param stackChart version of eck-stack; the one of the tables by default, and no such chart where they have none
 * @throws VERSION_INVALID
 */
export function charts(eckVersion: string, stackChart = stackChartVersions[eckVersion]): readonly Chart[] {
  const version = formatVersion(parseVersion(eckVersion));
  const operator = [chart('eck-operator', version), chart('eck-operator-crds', version)];
  return stackChart === undefined ? operator : [...operator, chart('eck-stack', stackChart)];
}

const SYSTEMS = ['Linux', 'Darwin', 'Windows'] as const;
const MACHINES: ReadonlyMap<string, string> = new Map([
  ['amd64', 'x86_64'],
  ['arm64', 'arm64'],
]);

/**
 * The eck-diagnostics program for `platforms` (`linux/amd64`, `windows/amd64`, …; variants do not count); unknown ones are left out.
 * @throws VERSION_INVALID
 */
export function eckDiagnosticsArchives(version: string, platforms: readonly string[]): readonly PublishedFile[] {
  const base = `${ECK_DIAGNOSTICS}/${formatVersion(parseVersion(version))}`;
  const builds = platforms.flatMap((platform) => {
    const [os, architecture = ''] = platform.split('/');
    const system = SYSTEMS.find((name) => name.toLowerCase() === os);
    const machine = MACHINES.get(architecture);
    return system === undefined || machine === undefined ? [] : `${system}_${machine}`;
  });
  return [...new Set(builds)].map((build) => {
    const name = `eck-diagnostics_${version}_${build}.tar.gz`;
    return { name, url: `${base}/${name}`, checksums: `${base}/checksums.txt` };
  });
}

/** Those of the built-in catalogue. */
export const signingKeys: readonly SigningKey[] = [
  { name: 'GPG-KEY-elasticsearch', fingerprint: '46095ACC8548582C1A2699A9D27D666CD88E42B4' },
];

export function signingKeyFile({ name, url = `${ARTIFACTS}/${name}` }: SigningKey): PublishedFile {
  return { name, url };
}

function chart(name: string, version: string): Chart {
  return { name, version, repository: HELM_REPOSITORY };
}
