// index.json and oci-layout: standard, and functions of bundle.json alone (docs/adr/0001-index-lists-images-only.md).
import { expect, test } from 'vitest';
import { indexJson, OCI_LAYOUT_BYTES } from '../../src/bundle/index-json.ts';
import { digestOf } from '../../src/core/digest.ts';
import { parseManifest } from '../../src/oci/manifest.ts';
import { OCI_INDEX } from '../../src/oci/media-types.ts';
import { pack } from '../support/pack.ts';
import { randomArtifact, randomImage } from '../support/random-image.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const CHART = 'registry.example/charts/eck-operator:3.4.0';

test('lists images by their full original reference, and no artifact', () => {
  const { manifest } = pack({
    images: { [KIBANA]: randomImage('a'), [CHART]: randomArtifact('b') },
    artifacts: [CHART],
  });
  const [image] = manifest.images;
  expect(JSON.parse(indexJson(manifest.images).toString())).toEqual({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [
      {
        mediaType: image?.mediaType,
        digest: image?.digest,
        size: image?.size,
        annotations: { 'org.opencontainers.image.ref.name': KIBANA, 'io.containerd.image.name': KIBANA },
      },
    ],
  });
});

test('says what an image was cut from', () => {
  const [image] = pack().manifest.images;
  if (!image) throw new Error('no image');
  const original = { mediaType: OCI_INDEX, digest: digestOf(Buffer.from('the whole index')), size: 5 };
  const text = indexJson([{ ...image, original }]).toString();
  expect(text).toContain(`"eck-airgap.original.digest":"${original.digest}"`);
});

test('is an index that our own strict parser takes, and stays one without images', () => {
  expect(parseManifest(indexJson(pack().manifest.images), OCI_INDEX).mediaType).toBe(OCI_INDEX);
  expect(JSON.parse(indexJson([]).toString())).toMatchObject({ manifests: [] });
});

test('oci-layout is that of the image-spec', () => {
  expect(OCI_LAYOUT_BYTES.toString()).toBe('{"imageLayoutVersion":"1.0.0"}');
});
