// What skopeo sees at a place it can read: oci-archive:FILE:REFERENCE, docker://HOST/NAME:TAG, dir:FOLDER.
import { join } from 'node:path';
import { output, run } from './process.ts';

/** How a registry is reached: over TLS with an account, or over plain HTTP. */
export type Access = { readonly certificates: string; readonly authfile: string } | 'plain' | undefined;

export interface ImageManifest {
  readonly mediaType?: string;
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

export interface ImageIndex {
  readonly mediaType?: string;
  readonly manifests: readonly IndexChild[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface IndexChild {
  readonly digest: string;
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The digest of the manifest or index itself. */
export async function digestAt(place: string, access?: Access): Promise<string> {
  return output('skopeo', ['inspect', '--no-tags', '--format', '{{.Digest}}', ...flags(access, ''), place]);
}

/** A manifest or index, parsed. The caller knows which it is. */
export async function manifestAt<T = ImageManifest>(place: string, access?: Access): Promise<T> {
  return JSON.parse(await output('skopeo', ['inspect', '--raw', ...flags(access, ''), place])) as T;
}

/** Copies an image with all of its platforms to a folder, no byte of a manifest changed; answers its digest. */
export async function copyOut(place: string, folder: string, access?: Access): Promise<string> {
  const digestFile = join(folder, 'digest');
  const copy = ['copy', '--all', '--preserve-digests', '--digestfile', digestFile, ...flags(access, 'src-')];
  await run('skopeo', [...copy, place, `dir:${join(folder, 'image')}`]);
  return output('cat', [digestFile]);
}

/** os/architecture or os/architecture/variant. */
export function platformOf({ platform }: IndexChild): string {
  if (platform === undefined) return '';
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

function flags(access: Access, side: '' | 'src-'): string[] {
  if (access === undefined) return [];
  if (access === 'plain') return [`--${side}tls-verify=false`];
  return [`--${side}cert-dir`, access.certificates, '--authfile', access.authfile];
}
