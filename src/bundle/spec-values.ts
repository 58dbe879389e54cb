// What single values of airgap.yaml look like: references, platforms, addresses, versions. Which keys take them is in
// spec-schema.ts. Title, description and examples are what editors show; they stand before what transforms a value.
import * as v from 'valibot';
import { isDigest, type Digest } from '../core/digest.ts';
import { isAirgapError } from '../core/errors.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import { formatReference, isNamePrefix, isRegistryHost, parseReference } from '../oci/reference.ts';

/** Comes out in its full form. */
export const ImageReference = v.pipe(
  v.string(),
  v.metadata({ title: 'image', examples: ['docker.elastic.co/kibana/kibana:9.5.2', 'registry.example/ours/app:1.0'] }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      const reference = parseReference(dataset.value);
      if (reference.tag !== undefined) return formatReference(reference);
      addIssue({ message: 'needs a tag: the enclave pulls images by tag (a digest may follow it)' });
    } catch (error) {
      addIssue({ message: isAirgapError(error) ? error.message : String(error) });
    }
    return NEVER;
  }),
);

/** Comes out in its full form. */
export const PlatformText = v.pipe(
  v.string(),
  v.metadata({ title: 'os/architecture', examples: ['linux/amd64', 'linux/arm64'] }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return formatPlatform(parsePlatform(dataset.value));
    } catch (error) {
      addIssue({
        message: isAirgapError(error) ? `${error.message}; write os/architecture, such as linux/amd64` : String(error),
      });
      return NEVER;
    }
  }),
);

export const MirrorUrl = v.pipe(
  v.string(),
  v.check(
    (text) => isWebAddress(text, ['username', 'password', 'search', 'hash']),
    'is not an http or https URL without credentials, query and fragment',
  ),
  v.metadata({ title: 'URL', pattern: '^https?://', examples: ['https://mirror.example/elastic'] }),
);

export const RegistryHost = v.pipe(v.string(), v.check(isRegistryHost, 'is not a host'), v.title('host'));

export const NamePrefix = v.pipe(
  v.string(),
  v.check(isNamePrefix, 'is not host[:port][/path], such as docker.elastic.co or docker.elastic.co/kibana'),
  v.title('host[:port][/path]'),
);

export const WebAddress = v.pipe(
  v.string(),
  v.check(
    (text) => !isInRegistry(text),
    'is in a registry: name the chart under "images" instead, as HOST/PATH/NAME:VERSION',
  ),
  v.check(
    (text) => isInRegistry(text) || isWebAddress(text, ['username', 'password', 'hash']),
    'is not an http or https URL without credentials and fragment',
  ),
  v.metadata({ title: 'URL', pattern: '^https?://' }),
);

/** Helm writes the address of a chart in a registry so. */
function isInRegistry(text: string): boolean {
  return /^oci:/i.test(text);
}

/** Of what is recorded as it is in everything that is carried. */
export const PublicWebAddress = v.pipe(
  v.string(),
  v.check(
    (text) => isWebAddress(text, ['username', 'password', 'search', 'hash']),
    'is not an http or https URL without credentials, query and fragment; it is carried along as it is',
  ),
  v.metadata({ title: 'URL', pattern: '^https?://' }),
);

function isWebAddress(text: string, without: readonly ('username' | 'password' | 'search' | 'hash')[]): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && without.every((part) => url[part] === '');
}

/** Of a person or a system, for people to read. */
export const NameOnPaper = v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.title('text'));

/** Below the folder of airgap.yaml, or absolute. */
export const FilePath = v.pipe(v.string(), v.minLength(1), v.title('path'));

export const ContentDigest = v.pipe(
  v.custom<Digest>(isDigest, 'is not sha256: and 64 hexadecimal digits'),
  v.metadata({ title: 'sha256:…', type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }),
);

export const VersionText = v.pipe(
  v.string(),
  v.regex(/^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?$/, 'is not major.minor.patch, such as 9.5.2'),
  v.title('version'),
);

/** Of the catalogue, or of a catalogue file of one's own: which there are is not for the schema to say. */
export const ComponentName = v.string();
export const FlavourName = v.picklist(['default', 'ubi', 'wolfi', 'fips', 'ubi-fips']);
export const PackageRegistryMode = v.picklist(['full', 'lite']);
