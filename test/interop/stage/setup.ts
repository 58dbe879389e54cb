// What all journeys start from: which tools there are, a registry that stands for Elastic's (TLS, an account), and the
// images in it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { makeCertificates, type Certificates } from '../../../scripts/interop/certificates.ts';
import { fillRegistry } from '../../../scripts/interop/images.ts';
import { nginxLayout } from '../../../scripts/interop/nginx.ts';
import { startRegistry, type RealRegistry } from '../../../scripts/interop/registry.ts';
import { missingTools, type Missing, type Tool } from '../../../scripts/interop/tools.ts';

/** Crosses from the process of vitest to those of the tests: plain data only. */
export interface Stage {
  /** A folder for the whole run, removed at its end. */
  readonly folder: string;
  readonly certificates: Certificates;
  readonly upstream: { readonly host: string; readonly url: string; readonly authfile: string };
  /** Digest of each image upstream, by repository and tag. */
  readonly digests: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    missing: Missing;
    stage: Stage | undefined;
  }
}

/** Without these there is nothing to carry. */
export const ESSENTIAL: readonly Tool[] = [
  'docker-registry',
  'skopeo',
  'umoci',
  'openssl',
  'htpasswd',
  'busybox',
  'setpriv',
];

let folder: string | undefined;
let upstream: RealRegistry | undefined;

export async function setup(project: TestProject): Promise<void> {
  const missing = await missingTools();
  const nginx =
    missing.debootstrap === undefined ? await nginxOr((reason) => (missing.debootstrap = reason)) : undefined;
  project.provide('missing', missing);
  if (ESSENTIAL.some((tool) => missing[tool] !== undefined)) {
    project.provide('stage', undefined);
    return;
  }
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-interop-'));
  const certificates = await makeCertificates(join(folder, 'certificates'));
  upstream = await startRegistry(join(folder, 'upstream'), { certificates });
  const digests = await fillRegistry(upstream, { certificates, folder, nginx });
  const { host, url, authfile } = upstream;
  project.provide('stage', { folder, certificates, upstream: { host, url, authfile }, digests });
}

export async function teardown(): Promise<void> {
  await upstream?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}

/** debootstrap needs a Debian mirror; without one, what needs the NGINX image is skipped and says so. */
async function nginxOr(explain: (reason: string) => void): Promise<string | undefined> {
  try {
    return await nginxLayout();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    explain(`the NGINX image could not be made: ${message.trim().split('\n').at(-1) ?? ''}`);
    return undefined;
  }
}
