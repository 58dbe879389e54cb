// Platforms (OCI image-index.md, `platform`): parsing, formatting, matching as containerd does it.
import { AirgapError } from '../core/errors.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
}

const PART = /^[a-z0-9_.-]{1,32}$/;
const DEFAULT_VARIANT: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };

/** `os/architecture[/variant]`. @throws REFERENCE_INVALID */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant, ...rest] = text.split('/');
  const parts = variant === undefined ? [os, architecture] : [os, architecture, variant];
  if (rest.length > 0 || !parts.every((part) => PART.test(part))) {
    throw new AirgapError('REFERENCE_INVALID', `not a platform: ${JSON.stringify(text.slice(0, 100))}`, {
      hint: 'Write os/architecture, for example linux/amd64 or linux/arm64.',
    });
  }
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

/** Whether it can be written, and read again, as `os/architecture[/variant]`. */
export function isPlatform({ os, architecture, variant }: Platform): boolean {
  return [os, architecture, ...(variant ? [variant] : [])].every((part) => PART.test(part));
}

export function formatPlatform(platform: Platform): string {
  const base = `${platform.os}/${platform.architecture}`;
  return platform.variant && platform.variant !== DEFAULT_VARIANT[platform.architecture]
    ? `${base}/${platform.variant}`
    : base;
}

/** Whether an image for `found` is one for `wanted`; a missing variant means the architecture's usual one. */
export function matchesPlatform(wanted: Platform, found: Platform): boolean {
  return wanted.os === found.os && wanted.architecture === found.architecture && variantOf(wanted) === variantOf(found);
}

/** An empty variant is met too, and says as little as none. */
function variantOf({ architecture, variant }: Platform): string | undefined {
  return variant || DEFAULT_VARIANT[architecture];
}

/** BuildKit lists attestations as children of the platform unknown/unknown. */
export function isUnknownPlatform(platform: Platform | undefined): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}
