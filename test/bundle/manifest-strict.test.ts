// What the format document says of bundle.json is what is refused: each rule broken once, in bytes that are otherwise right.
import { describe, expect, test } from 'vitest';
import { encodeBundleManifest, parseBundleManifest, type BundleManifest } from '../../src/bundle/manifest.ts';
import { blobPath } from '../../src/bundle/manifest-rules.ts';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { digestOf } from '../../src/core/digest.ts';
import { pack } from '../support/pack.ts';
import { randomImage } from '../support/random-image.ts';
import { thrown } from '../support/thrown.ts';

const [KIBANA, APM] = ['docker.elastic.co/kibana/kibana:9.5.2', 'docker.elastic.co/apm/apm-server:9.5.2'];
const packed = pack({
  images: { [KIBANA]: randomImage('one', { layerSize: 300 }), [APM]: randomImage('two', { layerSize: 300 }) },
  files: { 'b.txt': Buffer.from('b'), 'a.txt': Buffer.from('a'), 'sbom.cdx.json': Buffer.from('{}') },
});
const node = (at: number) => {
  const { digest, size } = packed.manifest.entries[3 + at]!;
  return { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size };
};
const full: BundleManifest = {
  ...packed.manifest,
  images: packed.manifest.images.map((image) => ({
    ...image,
    original: node(0),
    platforms: ['linux/amd64', 'linux/arm64'],
    accompanying: [{ ...node(1), artifactType: 'application/x', tag: 'sha256-1.sig' }, node(2)],
  })),
  installers: ['a', 'b'].map((name) => ({ name, digest: digestOf(Buffer.from(name)), size: 1 })),
  expires: '2030-12-31T23:59:59Z',
};

interface DraftNode {
  mediaType: string;
  digest: string;
  size: number | string;
  artifactType?: string;
  tag?: string;
  note?: unknown;
}

type DraftEntry = Omit<DraftNode, 'mediaType'> & { path: string };
type DraftFile = DraftNode & { name: string };
type DraftImage = DraftFile & {
  original: DraftNode;
  platforms: [string, string, ...string[]];
  accompanying: [DraftNode, DraftNode, ...DraftNode[]];
  artifact?: unknown;
};

/** What it is changed in, before it is wrong. */
interface Draft extends Record<string, unknown> {
  name: string;
  lock: string;
  signatureSlots: number;
  entries: [DraftEntry, DraftEntry, DraftEntry, DraftEntry, DraftEntry, ...DraftEntry[]];
  images: [DraftImage, DraftImage];
  files: [DraftFile, DraftFile, DraftFile, DraftFile, ...DraftFile[]];
  installers: [DraftFile, DraftFile, ...DraftFile[]];
}

/** One of a list, to its end. */
function toEnd(list: unknown[], from: number): void {
  list.push(...list.splice(from, 1));
}

/** The error for a manifest that was changed and written canonically. */
function refusal(change: (draft: Draft) => unknown): { code: string; message: string } {
  const draft = structuredClone(full) as unknown as Draft;
  change(draft);
  return thrown(() => parseBundleManifest(canonicalJson(draft)));
}

test('the whole of it is written and read', () => {
  expect(parseBundleManifest(encodeBundleManifest(full))).toEqual(full);
  expect(full.files.map(({ name }) => name)).toEqual(['airgap.lock.yaml', 'sbom.cdx.json', 'a.txt', 'b.txt']);
});

const broken: Readonly<Record<string, (draft: Draft) => unknown>> = {
  'an image that no entry has': (draft) => (draft.images[0].digest = digestOf(Buffer.from('elsewhere'))),
  'an image of another size': (draft) => (draft.images[0].size = 7),
  'an original that no entry has': (draft) => (draft.images[1].original.digest = digestOf(Buffer.from('elsewhere'))),
  'an original of another size': (draft) => (draft.images[1].original.size = 7),
  'a signature that no entry has': (draft) => (draft.images[1].accompanying[1].size = 7),
  'a file that no entry has': (draft) => (draft.files[2].digest = digestOf(Buffer.from('elsewhere'))),
  'a file of another size': (draft) => (draft.files[3].size = 7),
  'an image that is a generated entry': (draft) =>
    Object.assign(draft.images[0], { digest: draft.entries[2].digest, size: draft.entries[2].size }),
  'a lock that is not the first file': (draft) => (draft.lock = draft.files[1].digest),
  'no lock': (draft) => draft.files.shift(),
  'no files': (draft) => draft.files.splice(0),
  'a lock of another name': (draft) => (draft.files[0].name = '0.lock'),
  'images out of order': (draft) => draft.images.reverse(),
  'an image twice': (draft) => (draft.images[0] = draft.images[1]),
  'files out of order': (draft) => toEnd(draft.files, 2),
  'a file twice': (draft) => draft.files.push(draft.files[3]),
  'the bill of materials after other files': (draft) => toEnd(draft.files, 1),
  'installers out of order': (draft) => draft.installers.reverse(),
  'an installer twice': (draft) => draft.installers.push(draft.installers[1]),
  'platforms out of order': (draft) => draft.images[0].platforms.reverse(),
  'a platform twice': (draft) => draft.images[0].platforms.push('linux/arm64'),
  'signatures out of order': (draft) => draft.images[0].accompanying.reverse(),
  'a signature twice': (draft) => draft.images[0].accompanying.push(draft.images[0].accompanying[1]),
  'blobs out of order': (draft) => toEnd(draft.entries, 3),
  'a blob twice': (draft) => draft.entries.push(...draft.entries.slice(-1)),
  'a blob with the name of another': (draft) => (draft.entries[3].path = draft.entries[4].path),
  'oci-layout before chunks': (draft) => draft.entries.unshift(...draft.entries.splice(1, 1)),
  'no index.json': (draft) => draft.entries.splice(2, 1),
  'an empty blob with another digest': (draft) => (draft.entries[3].size = 0),
  'an image name without a tag': (draft) => (draft.images[1].name = 'docker.elastic.co/kibana/kibana'),
  'an image name with a digest': (draft) => (draft.images[1].name += `@${draft.lock}`),
  'a short image name': (draft) => (draft.images[1].name = 'nginx:1.29'),
  'the other name of Docker Hub': (draft) => (draft.images[1].name = 'index.docker.io/library/nginx:1.29'),
  'a host in upper case': (draft) => (draft.images[1].name = 'docker.Elastic.co/kibana/kibana:9.5.2'),
  'Docker Hub without library': (draft) => (draft.images[1].name = 'docker.io/nginx:1.29'),
  'an image name in upper case': (draft) => (draft.images[1].name = 'docker.elastic.co/Kibana:1'),
  'a media type without a slash': (draft) => (draft.images[0].mediaType = 'image'),
  'no media type': (draft) => (draft.files[0].mediaType = ''),
  'a media type that is too long': (draft) => (draft.files[0].mediaType = `a/b;${'c'.repeat(252)}`),
  'a media type with a line end': (draft) => (draft.files[0].mediaType = 'a/b\n'),
  'an empty artifact type': (draft) => (draft.images[0].accompanying[0].artifactType = ''),
  'an artifact type that is not ASCII': (draft) => (draft.images[0].accompanying[0].artifactType = 'ä'),
  'a tag that is none': (draft) => (draft.images[0].accompanying[0].tag = '.sig'),
  'an empty platform': (draft) => (draft.images[0].platforms[0] = ''),
  'a platform with a blank': (draft) => (draft.images[0].platforms[0] = 'linux amd64'),
  'artifact: false': (draft) => (draft.images[0].artifact = false),
  'a file in a folder': (draft) => (draft.files[3].name = 'c/d'),
  'a name with an upper-case letter': (draft) => (draft.name = 'Site'),
  'a name of 64 characters': (draft) => (draft.name = 'a'.repeat(64)),
  'no signature slot': (draft) => (draft.signatureSlots = 0),
  '17 signature slots': (draft) => (draft.signatureSlots = 17),
  'a negative size': (draft) => (draft.installers[0].size = -1),
  'half a byte': (draft) => (draft.installers[0].size = 0.5),
  '2^53 bytes': (draft) => (draft.installers[0].size = 2 ** 53),
  'a size that is text': (draft) => (draft.installers[0].size = '1'),
  'a digest in upper case': (draft) => (draft.lock = draft.lock.toUpperCase()),
  'an unknown key': (draft) => (draft.images[0].note = 1),
  'an unknown key at the top': (draft) => (draft['note'] = null),
  'null for what is absent': (draft) => (draft['expires'] = null),
  'an object for a list': (draft) => (draft['images'] = {} as unknown as Draft['images']),
  'too many installers': (draft) =>
    draft.installers.push(...Array.from({ length: 101 }, (_, i) => ({ ...draft.installers[0], name: `a${1000 + i}` }))),
  'too many platforms': (draft) =>
    draft.images[0].platforms.push(...Array.from({ length: 101 }, (_, i) => `linux/a${1000 + i}`)),
};

test.each(Object.keys(broken))('%s is refused', (name) => {
  expect(refusal(broken[name]!).code).toBe('BUNDLE_CORRUPT');
});

test.each(['name', 'lock', 'signatureSlots', 'entries', 'images', 'files', 'installers', 'sequence'])(
  'without %s it is refused',
  (key) => {
    expect(refusal((draft) => (draft[key] = undefined)).code).toBe('BUNDLE_CORRUPT');
  },
);

describe('bytes that are not the one form', () => {
  const text = canonicalJson(full).toString();
  const forms: Readonly<Record<string, string>> = {
    'a blank': text.replace(':', ': '),
    'a line end after it': `${text}\n`,
    'a byte order mark': `\ufeff${text}`,
    'a key twice': text.replace('"sequence":0', '"sequence":0,"sequence":0'),
    'an exponent': text.replace('"sequence":0', '"sequence":1e2'),
    'a negative zero': text.replace('"sequence":0', '"sequence":-0'),
    'a fraction of nothing': text.replace('"sequence":0', '"sequence":1.0'),
    'a number beyond 2^53': text.replace('"sequence":0', '"sequence":9007199254740993'),
    'an escape that is not needed': text.replace('"BundleManifest"', '"Bundle\\u004danifest"'),
    'another order of keys': text.replace(/^\{("apiVersion":"[^"]*"),(.*)\}$/, '{$2,$1}'),
    'a list around it': `[${text}]`,
    'a key that is prototype': text.replace('"sequence":0', '"sequence":0,"__proto__":{}'),
  };
  test.each(Object.keys(forms))('%s is refused', (name) => {
    expect(forms[name]).not.toBe(text);
    expect(thrown(() => parseBundleManifest(Buffer.from(forms[name] ?? ''))).code).toBe('BUNDLE_CORRUPT');
  });

  test('UTF-8 that is none is refused', () => {
    const bytes = Buffer.from(text);
    bytes[bytes.indexOf('site')] = 0xff;
    expect(thrown(() => parseBundleManifest(bytes)).code).toBe('BUNDLE_CORRUPT');
  });
});

describe('a hostile bundle.json costs no more than counting it', () => {
  const entry = { path: blobPath(full.lock), size: 1, digest: full.lock };
  const hostile: Readonly<Record<string, () => Buffer>> = {
    'millions of numbers': () => Buffer.from(`{"files":[${'1,'.repeat(5_000_000)}1]}`),
    'millions of objects': () => Buffer.from(`{"files":[${'{},'.repeat(5_000_000)}{}]}`),
    'millions of keys': () => Buffer.from(`{${'"k":0,'.repeat(2_000_000)}"k":0}`),
    'brackets in brackets': () => Buffer.from('['.repeat(30_000_000)),
    'brackets deep inside': () => Buffer.from(`{"files":${'['.repeat(1_000_000)}`),
    'hundreds of thousands of entries': () =>
      Buffer.from(`{"entries":[${`${JSON.stringify(entry)},`.repeat(250_000)}{}]}`),
  };
  test.each(Object.keys(hostile))('%s', (name) => {
    const error = thrown(() => parseBundleManifest(hostile[name]?.() ?? Buffer.alloc(0)));
    expect(error.code).toBe('BUNDLE_CORRUPT');
    expect(error.message).toContain('holds more than a bundle.json may'); // before anything is made of it
  });

  test('a list that is too long is counted, and the first fault is enough', () => {
    const many = Array.from({ length: 60_000 }, () => ({ a: 1 }));
    expect(refusal((draft) => (draft['entries'] = many as unknown as Draft['entries'])).message).toMatch(
      /entries: Invalid length/,
    );
    expect(refusal((draft) => (draft['files'] = many.slice(0, 9000) as unknown as Draft['files'])).message).toMatch(
      /files\.0/,
    );
  });
});
