// The images that a file names: an operator manifest always, and a YAML file of the user's, which may be anything.
import type { Activity } from '../../core/events.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { inFull, requireNamed } from '../ignored-images.ts';
import { MANIFEST_FILE_LIMIT, textOf, type FileContent } from './content.ts';
import { pathOf, placeOf, type WantedFile } from './wanted-files.ts';

/**
 * References to the images that Kubernetes manifests name.
 * @param where names the text in messages
 * @param strict whether what is no manifest is an error; else it names no image
 */
export type ImagesIn = (text: string, where: string, strict: boolean) => readonly string[];

export interface NamedImagesOptions extends Activity {
  readonly imagesIn: ImagesIn;
}

/** Full references, sorted, each once, without those that are to be ignored. @throws what `imagesIn` does */
export async function namedImages(
  file: WantedFile,
  content: FileContent,
  { imagesIn, report }: NamedImagesOptions,
): Promise<string[]> {
  const strict = file.kind === 'manifest';
  if (!strict && !isYaml(file)) return [];
  if (!strict && content.descriptor.size > MANIFEST_FILE_LIMIT) {
    const message = `${file.name} is larger than ${MANIFEST_FILE_LIMIT} bytes: no images are looked for in it`;
    report?.({ type: 'warning', message });
    return [];
  }
  const named = imagesIn(await textOf(content, { limit: MANIFEST_FILE_LIMIT }), placeOf(file), strict);
  const images = new Set(named.map((image) => formatReference(parseReference(image))));
  const ignored = (file.ignoreImages ?? []).map(inFull);
  requireNamed(ignored, [...images], file.name);
  return [...images].filter((image) => !ignored.includes(image)).sort();
}

function isYaml(file: WantedFile): boolean {
  return file.kind === 'own' && [file.name, pathOf(file)].some((name) => /\.ya?ml$/i.test(name));
}
