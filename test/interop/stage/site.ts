// A site as an administrator has it: a folder with airgap.yaml, a key pair and the media that `build` wrote.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { airgap, serve, type Served } from '../../../scripts/interop/airgap.ts';
import { ORIGIN } from '../../../scripts/interop/images.ts';
import { basicAuth, startRegistry, type RealRegistry } from '../../../scripts/interop/registry.ts';
import type { Access } from '../../../scripts/interop/skopeo.ts';
import type { Stage } from './setup.ts';

export interface Site {
  readonly folder: string;
  readonly media: string;
  /** The bundle, where it is one file. */
  readonly bundle: string;
  readonly publicKey: string;
}

export interface SiteOptions {
  /** Repository and tag; all that the stage has by default. */
  readonly images?: readonly string[];
  readonly platforms?: readonly string[] | 'all';
  readonly volumeSize?: string;
}

/** keygen, lock and build, out of the stage's registry by way of a mirror. */
export async function makeSite(stage: Stage, options: SiteOptions = {}): Promise<Site> {
  const site = await prepareSite(stage, options);
  await airgap(site.folder, ['lock', 'airgap.yaml', ...registryAccess(stage, stage.upstream)]);
  await airgap(site.folder, buildCommand(stage, options));
  return site;
}

/** A site with its keys, before lock and build: its media do not exist yet. */
export async function prepareSite(stage: Stage, options: SiteOptions = {}): Promise<Site> {
  const folder = await scratchFolder(stage, 'site-');
  const images = options.images ?? Object.keys(stage.digests);
  await writeSpec(stage, folder, { images, platforms: options.platforms ?? ['linux/amd64'] });
  await airgap(folder, ['keygen', '--out', 'keys', '--no-passphrase']);
  const media = join(folder, 'media');
  return { folder, media, bundle: join(media, 'site-alpha.tar'), publicKey: join(folder, 'keys', 'airgap.pub') };
}

/** The `build` of a site, to run in its folder. */
export function buildCommand(stage: Stage, options: Pick<SiteOptions, 'volumeSize'> = {}): string[] {
  const volumes = options.volumeSize === undefined ? [] : ['--volume-size', options.volumeSize];
  const access = registryAccess(stage, stage.upstream);
  return ['build', 'airgap.yaml', '--key', 'keys/airgap.key', '--out', 'media', ...volumes, ...access];
}

/** A new folder below the stage's, which is removed with it. */
export async function scratchFolder(stage: Stage, prefix: string): Promise<string> {
  return mkdtemp(join(stage.folder, prefix));
}

/** Flags for a registry with TLS and an account. */
export function registryAccess(stage: Stage, registry: { readonly authfile: string }): string[] {
  return ['--ca-file', stage.certificates.ca, '--authfile', registry.authfile];
}

/** How skopeo reaches a registry with TLS and an account. */
export function accessTo(stage: Stage, registry: { readonly authfile: string }): Access {
  return { certificates: stage.certificates.clientFolder, authfile: registry.authfile };
}

/** A file of credentials for one registry; answers its path. */
export async function writeAuthfile(stage: Stage, host: string): Promise<string> {
  const path = join(await scratchFolder(stage, 'auth-'), 'auth.json');
  await writeFile(path, JSON.stringify({ auths: { [host]: { auth: basicAuth() } } }));
  return path;
}

/** A registry of the enclave, which stops at the end of the test. */
export async function enclaveRegistry(stage: Stage, shape: 'tls' | 'plain' = 'tls'): Promise<RealRegistry> {
  const folder = await scratchFolder(stage, 'enclave-');
  const registry = await startRegistry(folder, { certificates: shape === 'tls' ? stage.certificates : undefined });
  onTestFinished(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return registry;
}

/** `load` of a site's media; the registry may have a prefix. */
export async function load(
  stage: Stage,
  site: Site,
  registry: RealRegistry,
  flags: readonly string[] = [],
): Promise<string> {
  const to = ['--key', site.publicKey, '--registry', registry.host, ...registryAccess(stage, registry)];
  return (await airgap(site.folder, ['load', site.media, ...to, ...flags])).stdout;
}

/** `serve` of a site's media, which stops at the end of the test. */
export async function serveSite(site: Site, flags: readonly string[] = []): Promise<Served> {
  const served = await serve(site.folder, [site.media, '--key', site.publicKey, ...flags]);
  onTestFinished(async () => {
    await served.daemon.stop();
  });
  return served;
}

/** An image as `inspect --json` shows it. */
export interface BundledImage {
  readonly name: string;
  readonly digest: string;
  readonly platforms: readonly string[];
  readonly original?: { readonly digest: string };
}

/** Images of a bundle by repository and tag, as the program itself shows them. */
export async function bundledImages(site: Site): Promise<Map<string, BundledImage>> {
  const { stdout } = await airgap(site.folder, ['inspect', site.media, '--key', site.publicKey, '--json']);
  const { manifest } = JSON.parse(stdout) as { manifest: { images: BundledImage[] } };
  return new Map(manifest.images.map((image) => [image.name.replace(`${ORIGIN}/`, ''), image]));
}

async function writeSpec(
  stage: Stage,
  folder: string,
  options: Required<Pick<SiteOptions, 'images' | 'platforms'>>,
): Promise<void> {
  const spec = {
    apiVersion: 'eck-airgap/v1',
    kind: 'BundleSpec',
    metadata: { name: 'site-alpha' },
    platforms: options.platforms,
    images: options.images.map((image) => `${ORIGIN}/${image}`),
    mirrors: { [ORIGIN]: stage.upstream.url },
  };
  // YAML is a superset of JSON.
  await writeFile(join(folder, 'airgap.yaml'), JSON.stringify(spec, null, 2));
}
