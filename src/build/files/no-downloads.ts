// Stands in until downloads are wired into `lock` and `build`: files of the user's on disk are all that works.
import { AirgapError } from '../../core/errors.ts';
import type { WebFiles } from '../../registry/web-files.ts';
import type { FileCache } from './content.ts';

function refuse(): never {
  throw new AirgapError('INTERNAL', 'downloads of files are not wired up');
}

export const noDownloads: WebFiles = { read: refuse, fetch: refuse, close: async () => undefined };
export const noAdding: Pick<FileCache, 'add'> = { add: refuse };
