// Package URLs (purl-spec 1.0) in canonical form: pkg:oci for what registries hold, pkg:generic for what has no registry.
import { parseReference } from '../oci/reference.ts';
import { parsePlatform } from '../oci/platform.ts';
import type { Digest } from '../core/digest.ts';

export interface OciPurlOptions {
  readonly digest: Digest;
  /** `os/architecture`; names the architecture alone, as the type has no key for the rest. */
  readonly platform?: string;
}

/** Of an image by its full original name. */
export function ociPurl(name: string, { digest, platform }: OciPurlOptions): string {
  const { registry, repository, tag } = parseReference(name);
  const qualifiers = [
    ...(platform === undefined ? [] : [['arch', parsePlatform(platform).architecture]]),
    ['repository_url', `${registry}/${repository}`],
    ...(tag === undefined ? [] : [['tag', tag]]),
  ];
  const last = repository.slice(repository.lastIndexOf('/') + 1);
  return `pkg:oci/${encode(last)}@${encode(digest)}?${qualifiers.map(([key = '', value = '']) => `${key}=${encode(value)}`).join('&')}`;
}

export function genericPurl(name: string, version?: string): string {
  return `pkg:generic/${encode(name)}${version === undefined ? '' : `@${encode(version)}`}`;
}

/** Of what is downloaded from a URL, or was read from a file. */
export function downloadPurl(name: string, of: { version?: string; url?: string | undefined; digest: Digest }): string {
  const { version, url, digest } = of;
  const download = url === undefined ? '' : `&download_url=${encode(url)}`;
  return `${genericPurl(name, version)}?checksum=${encode(digest)}${download}`;
}

/** A colon is never encoded. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':');
}
