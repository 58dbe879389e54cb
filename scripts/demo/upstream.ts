// Fills a registry with small images under Elastic's names: two platforms each, attestations, and one signed as cosign does.
import { Registry } from '../../src/registry/registry.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { cosignSignature, pushGraph, randomIndex } from '../../test/support/random-image.ts';

const STACK = '9.5.2';

export const IMAGES = [
  'docker.elastic.co/eck/eck-operator:3.5.0',
  `docker.elastic.co/elasticsearch/elasticsearch:${STACK}`,
  `docker.elastic.co/kibana/kibana:${STACK}`,
  `docker.elastic.co/elastic-agent/elastic-agent:${STACK}`,
  `docker.elastic.co/package-registry/distribution:lite-${STACK}`,
];

/** Bytes of each layer. */
const LAYER_SIZE = 300_000;

/** @param host `127.0.0.1:port` of a writable registry */
export async function fillUpstream(host: string): Promise<void> {
  const registry = new Registry(host);
  try {
    for (const name of IMAGES) {
      const { repository, tag } = parseReference(name);
      const index = randomIndex(name, { layerSize: LAYER_SIZE, attestations: true });
      const target = registry.repository(repository);
      await pushGraph(target, index, tag);
      if (repository === 'eck/eck-operator')
        await pushGraph(target, cosignSignature(index.root), cosignTags(index.root.digest)[0]);
    }
  } finally {
    await registry.close();
  }
}
