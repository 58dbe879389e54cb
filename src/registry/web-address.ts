// Where a file on a web server is really fetched from, and how its errors say so. Mirrors are named by host, as those of
// registries are, and get the whole path of the original behind their own.
import { AirgapError } from '../core/errors.ts';
import { withoutUrlSecrets } from '../core/url-text.ts';
import { mirrorUrl, requireTls } from './endpoint.ts';
import { showUrl } from './url-policy.ts';

export interface WebAddress {
  /** As it was asked for. */
  readonly original: URL;
  /** Where the request goes: the original, or the same path at its mirror. */
  readonly target: URL;
  readonly mirrored: boolean;
}

export interface WebAddressOptions {
  /** `host[:port]` to the URL of its mirror, with or without a path. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** Whether plain HTTP beyond loopback was asked for. */
  readonly plainHttp: boolean;
}

/** @throws CONFIG_INVALID (the URL, or that of its mirror), TLS_REQUIRED */
export function webAddress(text: string, { mirrors, plainHttp }: WebAddressOptions): WebAddress {
  const original = parse(text);
  const mirror = Object.hasOwn(mirrors, original.host) ? mirrors[original.host] : undefined;
  if (mirror === undefined) {
    requireTls(original, plainHttp, 'the server of downloads');
    return { original, target: original, mirrored: false };
  }
  const target = mirrorUrl(original.host, mirror, plainHttp);
  target.pathname = `${target.pathname.replace(/\/+$/, '')}${original.pathname}`;
  target.search = original.search;
  return { original, target, mirrored: true };
}

/** The same error, naming the URL that was asked for, and that of the mirror where it has one. */
export function atAddress(error: unknown, { original, target }: WebAddress): unknown {
  if (!(error instanceof AirgapError)) return error;
  const [url, really] = [showUrl(original), showUrl(target)];
  const unnamed = [...new Set([url, really])].filter((name) => !error.message.includes(name));
  return new AirgapError(error.code, [unnamed.join(' at its mirror '), error.message].filter(Boolean).join(': '), {
    hint: error.hint ?? (error.code === 'CONTENT_MISSING' ? missingHint(url === really) : undefined),
    cause: error,
    details: { ...error.details, url, ...(url === really ? {} : { mirror: really }) },
  });
}

function parse(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}` !== '') {
    const shown = JSON.stringify(withoutUrlSecrets(text).slice(0, 200));
    throw new AirgapError('CONFIG_INVALID', `not an http or https URL without credentials: ${shown}`, {
      hint: 'Write https://HOST[:PORT]/PATH; credentials for it come from the credentials file.',
    });
  }
  url.hash = '';
  return url;
}

function missingHint(direct: boolean): string {
  return direct ? 'Check the URL, and that the version in it is published.' : 'Check that the mirror has this path.';
}
