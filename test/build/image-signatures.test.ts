// Which key an image must be signed by, and what counts as its signature among all that lies beside it.
import { describe, expect, test } from 'vitest';
import { checkImageSignature, ruleFor, vouchedBy, type SignedImage } from '../../src/build/image-signatures.ts';
import { contentOf } from '../../src/oci/content.ts';
import { descriptorOf, type Descriptor } from '../../src/oci/descriptor.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { SIGNATURE_LIMIT, SIMPLE_SIGNING } from '../../src/signing/cosign.ts';
import { newKey } from '../support/cosign.ts';
import { counting } from '../support/counting.ts';
import {
  cosignBundle,
  cosignSignature,
  randomArtifact,
  randomImage,
  randomIndex,
  storeGraph,
  type Graph,
} from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const NAME = 'docker.elastic.co/kibana/kibana:9.5.2';
const key = newKey();
const other = newKey();
const verified = { by: 'cosign', key: key.publicKey.fingerprint };
const index = randomIndex('kibana').root;
const cut = randomImage('kibana/linux/amd64').root;
const FORMS = [
  ['a signature under its tag', cosignSignature],
  ['a bundle as its referrer', cosignBundle],
] as const;

/** An image with these beside it, in a store that has all of them. */
async function stored(beside: readonly Graph[], image: { root: Descriptor; original?: Descriptor } = { root: index }) {
  const store = counting(memoryTarget());
  for (const graph of beside) await storeGraph(store, graph);
  const signed: SignedImage = {
    name: NAME,
    ...pinned(image.root),
    ...(image.original === undefined ? {} : { original: pinned(image.original) }),
    accompanying: beside.map(({ root }) => pinned(root)),
  };
  const check = () => checkImageSignature(store, signed, key.publicKey, { keyFile: 'cosign.pub' });
  return { store, signed, check };
}

const pinned = ({ digest, mediaType, size }: Descriptor) => ({ digest, mediaType, size });

describe('the rule', () => {
  const own = { key: 'own.pub' };
  test.each<[string, string | undefined, string]>([
    ['docker.elastic.co/kibana/kibana:9.5.2', 'cosign.pub', 'of the host'],
    ['docker.elastic.co/eck/eck-operator:3.5.0', 'own.pub', 'of the longest prefix'],
    ['docker.elastic.co/ecks/x:1', 'cosign.pub', 'of whole components'],
    ['docker.elastic.co/package-registry/distribution:lite-9.5.2', undefined, 'none'],
    ['docker.elastic.com/kibana/kibana:9.5.2', undefined, 'of another host'],
    ['constructor/x:1', undefined, 'of nothing that is only inherited'],
  ])('for %s is %s: %s', (name, path) => {
    const signatures = {
      'docker.elastic.co': { key: 'cosign.pub' },
      'docker.elastic.co/eck': own,
      'docker.elastic.co/package-registry': 'none' as const,
    };
    expect(ruleFor(name, signatures)).toBe(path);
  });

  test('decides what vouches for an image', async () => {
    const { store, signed } = await stored([cosignSignature(index, key)]);
    const keys = new Map([['cosign.pub', key.publicKey]]);
    const by = (signatures: Record<string, 'none' | { key: string }>) => vouchedBy(store, signed, { signatures, keys });
    expect(await by({ 'docker.elastic.co': { key: 'cosign.pub' } })).toEqual(verified);
    expect(await by({ 'docker.elastic.co': { key: 'cosign.pub' }, 'docker.elastic.co/kibana': 'none' })).toBe('none');
    expect(await by({})).toBe('none');
    expect((await rejected(by({ 'docker.elastic.co': { key: 'lost.pub' } }))).code).toBe('INTERNAL');
  });
});

describe.each(FORMS)('%s', (_form, sign) => {
  test('vouches for the image', async () => {
    expect(await (await stored([sign(index, key)])).check()).toEqual(verified);
  });

  test('by another key does not', async () => {
    const error = await rejected((await stored([sign(index, other)])).check());
    expect(error.code).toBe('SIGNATURE_INVALID');
    expect(error.message).toContain(`no signature by the key ${key.publicKey.fingerprint} (cosign.pub)`);
    expect(error.details).toMatchObject({ key: key.publicKey.fingerprint, keyFile: 'cosign.pub', found: 1 });
  });

  test('for another image does not', async () => {
    expect((await rejected((await stored([sign(cut, key)])).check())).code).toBe('SIGNATURE_INVALID');
  });

  test('is for what the tag names upstream, or for what is pushed', async () => {
    const image = { root: cut, original: index };
    expect(await (await stored([sign(index, key)], image)).check()).toEqual(verified);
    expect(await (await stored([sign(cut, key)], image)).check()).toEqual(verified);
    expect((await rejected((await stored([sign(randomImage('x').root, key)], image)).check())).details['found']).toBe(
      1,
    );
  });

  test('is enough beside bad ones', async () => {
    const bad = [sign(index, other), sign(cut, key), cosignSignature(index)];
    expect(await (await stored([...bad, sign(index, key)])).check()).toEqual(verified);
    expect((await rejected((await stored(bad)).check())).details['found']).toBe(3);
  });

  test('that is not there, or is not what the manifest says, is an error of its own', async () => {
    const [layer, ...rest] = sign(index, key).blobs;
    const { store, signed } = await stored([{ root: rest.at(-1)?.descriptor ?? index, blobs: rest }]);
    const check = () => checkImageSignature(store, signed, key.publicKey, { keyFile: 'cosign.pub' });
    expect((await rejected(check())).code).toBe('CONTENT_MISSING');
    const forged = {
      ...store,
      fetch: (asked: Descriptor) =>
        asked.digest === layer?.descriptor.digest ? contentOf(Buffer.alloc(asked.size)).open(0) : store.fetch(asked),
    };
    const checked = checkImageSignature(forged, signed, key.publicKey, { keyFile: 'cosign.pub' });
    expect((await rejected(checked)).code).toBe('DIGEST_MISMATCH');
  });
});

test('nothing beside the image, or nothing that can be a signature, is none found, and is not read', async () => {
  const alone = await rejected((await stored([])).check());
  expect([alone.code, alone.details['found']]).toEqual(['SIGNATURE_INVALID', 0]);
  expect(alone.message).toContain('none was found');
  expect(alone.hint).toContain('"docker.elastic.co/kibana/kibana": none');
  const things = [randomArtifact('sbom', { subject: index }), randomIndex('an index'), randomImage('an image')];
  const { store, check } = await stored(things);
  expect((await rejected(check())).details['found']).toBe(0);
  expect(store.fetches.digests().sort()).toEqual([things[0]?.root.digest, things[2]?.root.digest].sort());
});

/** A manifest with these layers. */
function manifestOf(layers: readonly Descriptor[]): Graph {
  const [, config] = cosignSignature(index).blobs;
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: config?.descriptor, layers }));
  const root = descriptorOf(bytes, OCI_MANIFEST);
  return { root, blobs: [{ descriptor: root, bytes }] };
}

test('a layer that is too large for a signature is not read', async () => {
  const huge = { ...index, mediaType: SIMPLE_SIGNING, size: SIGNATURE_LIMIT + 1 };
  const { store, check, signed } = await stored([manifestOf([huge])]);
  expect((await rejected(check())).details['found']).toBe(0);
  expect(store.fetches.digests()).toEqual([signed.accompanying[0]?.digest]);
});

test('no more than a thousand are tried', async () => {
  const [payload] = cosignSignature(index, key).blobs;
  const [bad, good] = [cosignSignature(index), cosignSignature(index, key)].map(layerOf);
  const among = async (count: number) => {
    const graph = manifestOf([...Array<Descriptor>(count).fill(bad ?? index), good ?? index]);
    return stored([{ ...graph, blobs: [...(payload ? [payload] : []), ...graph.blobs] }]);
  };
  expect(await (await among(999)).check()).toEqual(verified);
  expect((await rejected((await among(1000)).check())).details['found']).toBe(1000);
});

function layerOf({ blobs }: Graph): Descriptor | undefined {
  const manifest = parseManifest(blobs.at(-1)?.bytes ?? Buffer.alloc(0), OCI_MANIFEST);
  return manifest.kind === 'manifest' ? manifest.layers[0] : undefined;
}
