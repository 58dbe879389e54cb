// Manifests as they are, and as an attacker, or only another program, would write them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { isAirgapError } from '../../src/core/errors.ts';
import { isNode, parseManifest, successors, type Index } from '../../src/oci/manifest.ts';
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { thrown } from '../support/thrown.ts';

const digest = digestOf(Buffer.from('x'));
const config = { mediaType: OCI_CONFIG, digest, size: 1 };
const layer = (name: string) => ({ mediaType: OCI_LAYER, digest: digestOf(Buffer.from(name)), size: name.length });
const child = { mediaType: OCI_MANIFEST, digest, size: 1 };
const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer('one'), layer('two')] };
const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] };

const parse = (document: unknown, mediaType: string) => parseManifest(Buffer.from(JSON.stringify(document)), mediaType);
const code = (document: unknown, mediaType: string) => thrown(() => parse(document, mediaType)).code;

describe('what is accepted', () => {
  test('keys that no specification knows, at every level', () => {
    const odd = { ...manifest, vendor: [1], config: { ...config, vendor: {} }, layers: [{ ...layer('one'), x: null }] };
    expect(parse(odd, OCI_MANIFEST)).toMatchObject({ kind: 'manifest', config });
  });

  test('the bytes, which are kept as they came', () => {
    const bytes = Buffer.from(JSON.stringify(manifest));
    expect(parseManifest(bytes, OCI_MANIFEST).raw).toBe(bytes);
  });

  test.each([
    [OCI_MANIFEST, manifest],
    [DOCKER_MANIFEST, manifest],
    [OCI_INDEX, index],
    [DOCKER_INDEX, index],
  ])('a document without mediaType is what it is served as: %s', (mediaType, document) => {
    expect(parse({ ...document, mediaType: undefined }, mediaType).raw.byteLength).toBeGreaterThan(0);
  });

  test('successors stand in the order of the document, duplicates and all, and neither subject nor artifactType is one', () => {
    const layers = [layer('two'), layer('one'), layer('two')];
    const parsed = parse({ ...manifest, layers, subject: child, artifactType: 'a/b' }, OCI_MANIFEST);
    expect(successors(parsed)).toEqual([config, ...layers]);
    const manifests = [{ ...child, mediaType: OCI_INDEX }, child, { ...child, mediaType: 'text/plain' }];
    const children = successors(parse({ ...index, manifests, subject: config }, OCI_INDEX));
    expect(children).toEqual(manifests);
    expect(children.map(isNode)).toEqual([true, true, false]);
  });

  test('no layers, and no children', () => {
    expect(successors(parse({ ...manifest, layers: [] }, OCI_MANIFEST))).toEqual([config]);
    expect(successors(parse({ ...index, manifests: [] }, OCI_INDEX))).toEqual([]);
  });
});

describe('null is the same as absent, as programs in Go write and read it', () => {
  const platform = { os: 'linux', architecture: 'arm64' };
  test.each([
    ['the media type of a manifest', OCI_MANIFEST, { ...manifest, mediaType: null }, manifest],
    ['an empty media type of a manifest', OCI_MANIFEST, { ...manifest, mediaType: '' }, manifest],
    ['the media type of an index', OCI_INDEX, { ...index, mediaType: null }, index],
    ['an empty media type of an index', OCI_INDEX, { ...index, mediaType: '' }, index],
    ['annotations of a manifest', OCI_MANIFEST, { ...manifest, annotations: null }, manifest],
    ['annotations of an index', OCI_INDEX, { ...index, annotations: null }, index],
    [
      'one annotation',
      OCI_MANIFEST,
      { ...manifest, annotations: { a: null, b: '' } },
      { ...manifest, annotations: { b: '' } },
    ],
    ['artifactType', OCI_MANIFEST, { ...manifest, artifactType: null }, manifest],
    ['an empty artifactType', OCI_MANIFEST, { ...manifest, artifactType: '' }, manifest],
    ['subject', OCI_MANIFEST, { ...manifest, subject: null }, manifest],
    ['subject of an index', OCI_INDEX, { ...index, subject: null }, index],
    ['layers', OCI_MANIFEST, { ...manifest, layers: null }, { ...manifest, layers: [] }],
    ['children', OCI_INDEX, { ...index, manifests: null }, { ...index, manifests: [] }],
    ['children of a manifest', OCI_MANIFEST, { ...manifest, manifests: null }, manifest],
    ['config and layers of an index', OCI_INDEX, { ...index, config: null, layers: null }, index],
    ...(['annotations', 'urls', 'platform', 'artifactType'] as const).flatMap(
      (key) =>
        [
          [`${key} of a config`, OCI_MANIFEST, { ...manifest, config: { ...config, [key]: null } }, manifest],
          [
            `${key} of a layer`,
            OCI_MANIFEST,
            { ...manifest, layers: [{ ...layer('one'), [key]: null }] },
            { ...manifest, layers: [layer('one')] },
          ],
          [`${key} of a child`, OCI_INDEX, { ...index, manifests: [{ ...child, [key]: null }] }, index],
        ] as [string, string, object, object][],
    ),
    [
      'parts of a platform',
      OCI_INDEX,
      {
        ...index,
        manifests: [
          {
            ...child,
            platform: { ...platform, variant: null, 'os.version': null, 'os.features': null, features: null },
          },
        ],
      },
      { ...index, manifests: [{ ...child, platform }] },
    ],
  ] as [string, string, object, object][])('%s', (_what, mediaType, written, meant) => {
    const view = (document: object): object => ({ ...parse(document, mediaType), raw: null, mediaType: null });
    expect(view(written)).toStrictEqual(view(meant));
    expect(parse(written, mediaType).raw).toEqual(Buffer.from(JSON.stringify(written)));
  });

  test.each([
    ['the config', OCI_MANIFEST, { ...manifest, config: null }],
    ['the version of the schema', OCI_MANIFEST, { ...manifest, schemaVersion: null }],
    ['the digest of a layer', OCI_MANIFEST, { ...manifest, layers: [{ ...layer('one'), digest: null }] }],
    ['a layer', OCI_MANIFEST, { ...manifest, layers: [null] }],
    ['a child', OCI_INDEX, { ...index, manifests: [null] }],
  ])('but %s is required', (_what, mediaType, document) => {
    expect(code(document, mediaType)).toBe('MANIFEST_INVALID');
  });

  test('half of a surrogate pair is U+FFFD, as programs in Go read it, so that the view can be written again', () => {
    const parsed = parseManifest(
      Buffer.from(JSON.stringify({ ...manifest, annotations: { a: 'x' } }).replace('"x"', '"\\ud800"')),
      OCI_MANIFEST,
    );
    expect(parsed.annotations).toEqual({ a: '\ufffd' });
  });
});

describe('GHSA-qq97-vm5h-rrhg: nothing is a manifest to one reader and an index to another', () => {
  test.each([
    ['an index with layers', { ...index, layers: [] }, OCI_INDEX],
    ['an index with a config', { ...index, config }, OCI_INDEX],
    ['a manifest with children', { ...manifest, manifests: [child] }, OCI_MANIFEST],
    ['a manifest that says it is an index', { ...manifest, mediaType: OCI_INDEX }, OCI_MANIFEST],
    ['an index that says it is a manifest', { ...index, mediaType: OCI_MANIFEST }, OCI_INDEX],
    ['an OCI manifest served as one of Docker', manifest, DOCKER_MANIFEST],
    ['a manifest served as an index', { ...manifest, mediaType: undefined }, OCI_INDEX],
    ['an index served as a manifest', { ...index, mediaType: undefined }, OCI_MANIFEST],
    ['a media type that is no text', { ...manifest, mediaType: 5 }, OCI_MANIFEST],
    ['a manifest served as something else', manifest, 'application/json'],
    ['a schema 1 manifest', { schemaVersion: 1, fsLayers: [] }, 'application/vnd.docker.distribution.manifest.v1+json'],
  ])('%s is refused', (_case, document, mediaType) => {
    expect(code(document, mediaType)).toBe('MANIFEST_INVALID');
  });
});

test.each([
  ['no layers', { layers: undefined }],
  ['layers that are none', { layers: [5] }],
  ['another version of the schema', { schemaVersion: 1 }],
])('a manifest with %s is refused', (_case, change) => {
  expect(code({ ...manifest, ...change }, OCI_MANIFEST)).toBe('MANIFEST_INVALID');
});

describe('descriptors', () => {
  test.each([
    ['no digest', { digest: undefined }],
    ['a digest that is a path (CVE-2024-3727)', { digest: 'sha256:../../../etc/passwd' }],
    ['a digest that ends in one', { digest: `${digest}/../x` }],
    ['a digest in upper case', { digest: `sha256:${'A'.repeat(64)}` }],
    ['a digest that is too short', { digest: digest.slice(0, -1) }],
    ['a digest that is a list', { digest: [digest] }],
    ['no size', { size: undefined }],
    ['a negative size', { size: -1 }],
    ['a size with a fraction', { size: 0.5 }],
    ['a size that is text', { size: '1' }],
    ['a size that cannot be said exactly', { size: 2 ** 53 }],
    ['no media type', { mediaType: undefined }],
    ['a media type without end', { mediaType: 'x'.repeat(256) }],
    ['annotations that are no text', { annotations: { a: 1 } }],
    ['a platform without an architecture', { platform: { os: 'linux' } }],
    ['urls that are none', { urls: [1] }],
  ])('with %s are refused, in whatever place they stand', (_case, change) => {
    const bad = { ...child, ...change };
    expect(code({ ...manifest, config: bad }, OCI_MANIFEST)).toBe('MANIFEST_INVALID');
    expect(code({ ...manifest, layers: [layer('one'), bad] }, OCI_MANIFEST)).toBe('MANIFEST_INVALID');
    expect(code({ ...manifest, subject: bad }, OCI_MANIFEST)).toBe('MANIFEST_INVALID');
    expect(code({ ...index, manifests: [bad] }, OCI_INDEX)).toBe('MANIFEST_INVALID');
  });

  test('an error names the place', () => {
    const layers = [layer('one'), { ...layer('two'), size: -1 }];
    expect(thrown(() => parse({ ...manifest, layers }, OCI_MANIFEST)).message).toContain('layers.1.size');
  });
});

describe('bytes that are no document', () => {
  const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
  const written = (json: string): Buffer => Buffer.from(json);
  test.each([
    ['nothing', written('')],
    ['text', written('manifest')],
    ['half a document', written(JSON.stringify(manifest).slice(0, -1))],
    ['two documents', written(`${JSON.stringify(manifest)}{}`)],
    ['a list', written(`[${JSON.stringify(manifest)}]`)],
    ['null', written('null')],
    ['a number too large', written('{"schemaVersion":1e999}')],
    ['invalid UTF-8 in a text', Buffer.from('{"schemaVersion":2,"mediaType":"\xff"}', 'latin1')],
    ['UTF-16', Buffer.from(JSON.stringify(manifest), 'utf16le')],
    ['a byte order mark, which other readers refuse', written(`\ufeff${JSON.stringify(manifest)}`)],
    ['deep nesting', written(deep)],
    ['deep nesting in place of the media type', written(`{"schemaVersion":2,"mediaType":${deep}}`)],
    ['deep nesting in place of a descriptor', written(`{"schemaVersion":2,"config":${deep},"layers":${deep}}`)],
  ])('%s is MANIFEST_INVALID', (_case, bytes) => {
    expect(thrown(() => parseManifest(bytes, OCI_MANIFEST)).code).toBe('MANIFEST_INVALID');
  });

  test('whatever is put in any place, the answer is a manifest or MANIFEST_INVALID', () => {
    const place = fc.constantFrom(
      'schemaVersion',
      'mediaType',
      'config',
      'layers',
      'manifests',
      'subject',
      '__proto__',
    );
    fc.assert(
      fc.property(place, fc.jsonValue(), fc.constantFrom(OCI_MANIFEST, OCI_INDEX), (key, value, mediaType) => {
        const document = `${JSON.stringify(mediaType === OCI_INDEX ? index : manifest).slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(value)}}`;
        try {
          return successors(parseManifest(Buffer.from(document), mediaType)).every(({ size }) => size >= 0);
        } catch (error) {
          return isAirgapError(error, 'MANIFEST_INVALID');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a child whose digest is not sha256', () => {
  const foreign = { mediaType: OCI_MANIFEST, digest: `sha512:${'a'.repeat(128)}`, size: 5, annotations: null };
  const text = Buffer.from(JSON.stringify({ ...index, manifests: [foreign, child] }));

  test('is refused, unless the caller takes it apart', () => {
    expect(thrown(() => parseManifest(text, OCI_INDEX)).code).toBe('MANIFEST_INVALID');
    const parsed = parseManifest(text, OCI_INDEX, { foreign: true }) as Index;
    expect(parsed.manifests.map(({ digest }) => digest)).toEqual([child.digest]);
    expect(parsed.foreign).toEqual([{ digest: foreign.digest }]);
    expect(
      Object.hasOwn(parseManifest(Buffer.from(JSON.stringify(index)), OCI_INDEX, { foreign: true }), 'foreign'),
    ).toBe(false);
  });

  test.each(['sha512:', `sha512:${'A'.repeat(128)}`, 'sha256:00', 'md5:0', '', 5])(
    'and is none at all is refused: %j',
    (digest) => {
      const bytes = Buffer.from(JSON.stringify({ ...index, manifests: [{ ...foreign, digest }] }));
      expect(thrown(() => parseManifest(bytes, OCI_INDEX, { foreign: true })).code).toBe('MANIFEST_INVALID');
    },
  );
});
