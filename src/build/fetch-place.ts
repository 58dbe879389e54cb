// Brings what a lock pins into the cache from the URL or path that the lock has; what is not there any more as it was is told
// as such, with the way out. Images have moved-tag.ts.
import { resolve } from 'node:path';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { borrowFileRange, readFileRange } from '../core/named-file.ts';
import type { Cache } from '../oci/cache.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Content, PushOptions } from '../oci/target.ts';
import type { WebFiles } from '../registry/web-files.ts';
import type { FullUrls } from './full-urls.ts';
import { placeOf, type Place } from './files/wanted-files.ts';

export interface LockedPlace extends Place {
  /** For messages. */
  readonly what: 'file' | 'chart';
  /** URL of the index that named the URL, where one did. */
  readonly foundAt?: string | undefined;
  /** The URL with its query, where the lock has it without; asked for when something has to be downloaded. */
  readonly fullUrl?: (() => string | Promise<string>) | undefined;
}

export interface FetchPlaceContext extends PushOptions {
  readonly cache: Pick<Cache, 'push'>;
  readonly web: Pick<WebFiles, 'fetch' | 'borrow'>;
  /** The folder that relative paths start from. */
  readonly folder: string;
  /** For what the lock has without the query of its URL. */
  readonly urls: FullUrls;
}

/**
 * Goes on with what an earlier run left of it; what is in the cache costs no request.
 * @throws DIGEST_MISMATCH when it is no longer what was locked, CONTENT_MISSING or FILE_NOT_FOUND when it is gone, and what
 * `WebFiles` fails with
 */
export async function fetchPlace(
  descriptor: Descriptor,
  place: LockedPlace,
  context: FetchPlaceContext,
): Promise<void> {
  const { cache, signal, progress } = context;
  try {
    await cache.push(descriptor, contentAt(place, descriptor.size, context), { signal, progress });
  } catch (error) {
    throw notAsLocked(error, place);
  }
}

function contentAt({ url, path, foundAt, fullUrl }: LockedPlace, size: number, context: FetchPlaceContext): Content {
  const { web, folder, signal } = context;
  if (url !== undefined) {
    const at = async (): Promise<string> => (await fullUrl?.()) ?? url;
    return {
      async *open(start) {
        yield* web.fetch(await at(), { size, start, foundAt, signal });
      },
      async *borrow(start) {
        yield* web.borrow(await at(), { size, start, foundAt, signal });
      },
    };
  }
  if (path !== undefined) {
    const file = resolve(folder, path);
    return {
      open: (start) => readFileRange(file, { start, signal }),
      borrow: (start) => borrowFileRange(file, { start, signal }),
    };
  }
  throw new AirgapError('CONFIG_INVALID', 'the lock has neither a "url" nor a "path" of it', {
    hint: 'Run "eck-airgap lock" again; a lock is not edited by hand.',
  });
}

/** The error to throw for one that was met while reading it. */
function notAsLocked(error: unknown, place: LockedPlace): unknown {
  if (!isAirgapError(error, 'DIGEST_MISMATCH', 'CONTENT_MISSING')) return error;
  const { code, details, message } = error;
  const [why, hint] =
    code === 'CONTENT_MISSING'
      ? [
          'was locked and is gone',
          'Take it from a mirror that still has it ("mirrors" in airgap.yaml), or lock another version.',
        ]
      : [
          `is not the ${place.what} that was locked`,
          `Restore the ${place.what}; or see what changed with "eck-airgap lock --check", and run "eck-airgap lock" again.`,
        ];
  return new AirgapError(code, `${placeOf(place)} ${why}: ${message}`, { cause: error, details, hint });
}
