import { describe, expect, test } from 'vitest';
import { memoryTarget } from '../../src/oci/memory.ts';
import { parseManifest, type Index } from '../../src/oci/manifest.ts';
import { DOCKER_INDEX, OCI_INDEX } from '../../src/oci/media-types.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { ORIGINAL_DIGEST, selectPlatforms, type Selection } from '../../src/oci/platform-selection.ts';
import { randomArtifact, randomImage, randomIndex, storeGraph, type Graph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const THREE = ['linux/amd64', 'linux/arm64', 'linux/s390x'];

async function select(graph: Graph, ...wanted: string[]): Promise<Selection> {
  const source = memoryTarget();
  await storeGraph(source, graph);
  return selectPlatforms(source, graph.root, { wanted: wanted[0] === 'all' ? 'all' : wanted.map(parsePlatform) });
}

describe.each([false, true])('an index of three platforms (Docker types: %s)', (docker) => {
  const graph = randomIndex('three', { platforms: THREE, attestations: true, docker });
  const mediaType = docker ? DOCKER_INDEX : OCI_INDEX;

  test('cut to one is that manifest; its attestation accompanies it', async () => {
    const selection = await select(graph, 'linux/arm64');
    expect(selection.root).toEqual(randomImage('three/linux/arm64', { platform: 'linux/arm64', docker }).root);
    expect(selection.original).toEqual(graph.root);
    expect(selection.platforms).toEqual(['linux/arm64']);
    expect(selection.accompanying).toHaveLength(1);
  });

  test('cut to two is an index of them with their attestations, the same every time, that names the original', async () => {
    const selection = await select(graph, 'linux/s390x', 'linux/amd64');
    expect((await select(graph, 'linux/amd64', 'linux/s390x')).rootBytes).toEqual(selection.rootBytes);
    const index = parseManifest(selection.rootBytes ?? Buffer.alloc(0), mediaType) as Index;
    expect(index.annotations?.[ORIGINAL_DIGEST]).toBe(graph.root.digest);
    expect(index.manifests.map(({ platform }) => platform?.architecture)).toEqual([
      'amd64',
      's390x',
      'unknown',
      'unknown',
    ]);
    const chosen = index.manifests.slice(0, 2).map(({ digest }) => digest as string);
    expect(index.manifests.slice(2).map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])).toEqual(
      chosen,
    );
  });

  test('asked for all, or for each, is the original', async () => {
    for (const wanted of [['all'], THREE]) {
      const selection = await select(graph, ...wanted);
      expect([selection.root, selection.original, selection.rootBytes]).toEqual([graph.root, undefined, undefined]);
      expect(selection.platforms).toEqual(THREE);
    }
  });

  test('a platform that is not there is PLATFORM_MISSING, with what there is', async () => {
    const error = await rejected(select(graph, 'linux/amd64', 'linux/ppc64le'));
    expect(error.code).toBe('PLATFORM_MISSING');
    expect(error.details).toEqual({ wanted: 'linux/ppc64le', available: THREE });
  });
});

test('an image without an index says its platform in its config', async () => {
  const image = randomImage('single', { platform: 'linux/arm64' });
  expect(await select(image, 'linux/arm64')).toMatchObject({ root: image.root, platforms: ['linux/arm64'] });
  expect((await rejected(select(image, 'linux/amd64'))).code).toBe('PLATFORM_MISSING');
});

test('an artifact has no platform and is taken as it is', async () => {
  const artifact = randomArtifact('chart');
  expect(await select(artifact, 'linux/amd64')).toMatchObject({ root: artifact.root, platforms: [] });
});
