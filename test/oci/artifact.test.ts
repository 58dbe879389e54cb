import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/core/digest.ts';
import { artifact } from '../../src/oci/artifact.ts';
import { contentOf } from '../../src/oci/content.ts';
import { parseManifest, successors } from '../../src/oci/manifest.ts';
import { OCI_EMPTY, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { validateGraph } from '../support/validate-graph.ts';

const layer = { name: 'receipt.json', mediaType: 'application/json', bytes: Buffer.from('{"a":1}') };
const options = { artifactType: 'application/vnd.example.receipt.v1', layer };

describe('artifact', () => {
  const [config, file, manifest] = artifact(options);

  test("is the specification's: an empty config, the file with its name, and a type", () => {
    // image-spec manifest.md, "Guidance for an Empty Descriptor"
    expect(config.descriptor).toEqual({
      mediaType: OCI_EMPTY,
      digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      size: 2,
    });
    const parsed = parseManifest(manifest.bytes, OCI_MANIFEST);
    expect(parsed.artifactType).toBe(options.artifactType);
    expect(successors(parsed)).toEqual([config.descriptor, file.descriptor]);
    expect(file.descriptor).toEqual({
      mediaType: 'application/json',
      digest: digestOf(layer.bytes),
      size: 7,
      annotations: { 'org.opencontainers.image.title': 'receipt.json' },
    });
  });

  test('is whole when its blobs are pushed in their order', async () => {
    const target = memoryTarget();
    for (const { descriptor, bytes } of [config, file, manifest]) await target.push(descriptor, contentOf(bytes));
    expect(await validateGraph(target, manifest.descriptor)).toEqual([]);
  });

  test('is the same for the same file, and another for another', () => {
    expect(artifact(options)[2]).toEqual(manifest);
    const renamed = artifact({ ...options, layer: { ...layer, name: 'other.json' } });
    expect(renamed[1].descriptor.digest).toBe(file.descriptor.digest);
    expect(renamed[2].descriptor.digest).not.toBe(manifest.descriptor.digest);
  });

  test('may hold an empty file', () => {
    const [, empty] = artifact({ ...options, layer: { ...layer, bytes: Buffer.alloc(0) } });
    expect(empty.descriptor.size).toBe(0);
  });
});
