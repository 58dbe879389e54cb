// The programs that the journeys meet: which there are, which Debian package brings each, and which are not here.
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { toolEnvironment } from './process.ts';

/** Program to Debian package. */
export const debianPackages = {
  skopeo: 'skopeo',
  umoci: 'umoci',
  'docker-registry': 'docker-registry',
  podman: 'podman',
  runc: 'runc',
  containerd: 'containerd',
  ctr: 'containerd',
  htpasswd: 'apache2-utils',
  busybox: 'busybox-static',
  debootstrap: 'debootstrap',
  openssl: 'openssl',
  curl: 'curl',
  python3: 'python3',
  tar: 'tar',
  unzip: 'unzip',
  time: 'time',
  tmux: 'tmux',
  chromium: 'chromium',
  pdftotext: 'poppler-utils',
  setpriv: 'util-linux',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  chroot: 'coreutils',
  strip: 'binutils',
  'aarch64-linux-gnu-strip': 'binutils-aarch64-linux-gnu',
  'qemu-aarch64-static': 'qemu-user-static',
  'arm64 libraries': 'libstdc++6-arm64-cross',
} as const;

export type DebianTool = keyof typeof debianPackages;
/** What is no program, and where Debian puts it. */
const files: Partial<Record<Tool, string>> = { 'arm64 libraries': '/usr/aarch64-linux-gnu/lib/libstdc++.so.6' };

/** Brought into the project's cache: cosign and the conformance suite of the OCI distribution specification, built with Go; helm. */
const ownTools = ['cosign', 'conformance', 'helm'] as const;
export type OwnTool = (typeof ownTools)[number];

export type Tool = DebianTool | OwnTool;

/** Why a tool is not here. */
export type Missing = Partial<Record<Tool, string>>;

/** Kept between runs, below the project's folder, out of version control. */
export const cacheFolder = new URL('../../.cache/', import.meta.url).pathname;
export const ownFolder = join(cacheFolder, 'bin');
export const cosignPath = join(ownFolder, 'cosign');
export const conformancePath = join(ownFolder, 'conformance');
export const helmPath = join(ownFolder, 'helm');

/** Where the preparation tells the tests what it could not install, and why. */
export const MISSING_VARIABLE = 'ECK_AIRGAP_INTEROP_MISSING';

/** The tools that cannot be found, with the reason that the preparation gave, or that it was not run. */
export async function missingTools(): Promise<Missing> {
  const reasons = JSON.parse(process.env[MISSING_VARIABLE] ?? '{}') as Missing;
  const missing: Missing = {};
  for (const tool of [...(Object.keys(debianPackages) as DebianTool[]), ...ownTools]) {
    if (!(await isHere(tool)))
      missing[tool] = reasons[tool] ?? `${tool} is not installed; "npm run test:interop" does that`;
  }
  return missing;
}

export async function isHere(tool: Tool): Promise<boolean> {
  const file = files[tool];
  if (file !== undefined) return allows(file, constants.R_OK);
  const own = ownTools.some((name) => name === tool);
  const folders = own ? [ownFolder] : toolEnvironment.PATH.split(delimiter);
  for (const folder of folders) if (await allows(join(folder, tool), constants.X_OK)) return true;
  return false;
}

function allows(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
