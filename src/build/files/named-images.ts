// The images that a file names: an operator manifest always, and a YAML file of the user's, which may be anything.
import type { Activity } from '../../core/events.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { inFull, requireNamed } from '../ignored-images.ts';
import { decodeText } from '../../core/text.ts';
import { unique, type NamedInFile } from '../named-images.ts';
import { bytesOf, MANIFEST_FILE_LIMIT, type FileContent } from './content.ts';
import { pathOf, placeOf, type WantedFile } from './wanted-files.ts';

/**
 * References to the images that Kubernetes manifests name.
 * @param where names the text in messages
 * @param strict whether what is no manifest is an error; else it names no image
 */
export type ImagesIn = (text: string, where: string, strict: boolean) => NamedInFile;

export interface NamedImagesOptions extends Activity {
  readonly imagesIn: ImagesIn;
}

/** Without those that are to be ignored. @throws CONFIG_INVALID for one to ignore that it does not name; what `imagesIn` does */
export async function namedImages(
  file: WantedFile,
  content: FileContent,
  { imagesIn, report }: NamedImagesOptions,
): Promise<NamedInFile> {
  const strict = file.kind === 'manifest';
  if (!strict && !isManifestByName(file)) return NOTHING;
  const found = await imagesOf(file, content, (text) => imagesIn(text, placeOf(file), strict));
  const ignored = (file.ignoreImages ?? []).map(inFull);
  const unread = found.unread.filter((why) => !ignored.some((image) => why.includes(JSON.stringify(image))));
  requireNamed(
    ignored.filter((image) => !found.unread.some((why) => why.includes(JSON.stringify(image)))),
    found.images,
    file.name,
  );
  for (const why of unread)
    report?.({ type: 'warning', message: `${file.name} was not read for images as a whole: it ${why}` });
  return { images: found.images.filter((image) => !ignored.includes(image)), unread };
}

const NOTHING: NamedInFile = { images: [], unread: [] };

async function imagesOf(
  file: WantedFile,
  content: FileContent,
  read: (text: string) => NamedInFile,
): Promise<NamedInFile> {
  if (file.kind !== 'manifest' && content.descriptor.size > MANIFEST_FILE_LIMIT)
    return { images: [], unread: [`is larger than ${MANIFEST_FILE_LIMIT} bytes`] };
  const text = decodeText(await bytesOf(content, { limit: MANIFEST_FILE_LIMIT }));
  if (text === undefined) return { images: [], unread: ['is not text in UTF-8, nor in UTF-16 with a byte order mark'] };
  const { images, unread } = read(text);
  return { images: unique(images.map((image) => formatReference(parseReference(image)))), unread };
}

/** What people name YAML or JSON may be a manifest. */
function isManifestByName(file: WantedFile): boolean {
  return file.kind === 'own' && [file.name, pathOf(file)].some((name) => /\.(?:ya?ml|json)$/i.test(name));
}
