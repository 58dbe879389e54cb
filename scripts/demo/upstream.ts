// Stand-ins for what Elastic publishes, on loopback: small images in a registry, two platforms each, with attestations, signed
// as cosign does; and the sites of downloads and charts.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import { Registry } from '../../src/registry/registry.ts';
import { generateKeyPair, parsePrivateKey } from '../../src/signing/private-key.ts';
import { elasticCharts } from '../../test/support/elastic-charts.ts';
import { elasticDownloads, type ElasticDownloads } from '../../test/support/elastic-downloads.ts';
import { cosignSignature, pushGraph, randomIndex } from '../../test/support/random-image.ts';

const ECK = '3.5.0';

/** What the demo asks for. Mirrors are what stands in for Elastic's hosts. */
export const SPEC = `apiVersion: eck-airgap/v1
kind: BundleSpec
metadata: { name: site-alpha }
platforms: [linux/amd64]
elastic:
  eck: ${ECK}
  stack: [9.5.2]
  components: [elasticsearch, kibana, package-registry]
  catalogue: catalogue.yaml          # here alone: pins the key of the stand-ins
signatures:
  docker.elastic.co: { key: cosign.pub }
`;

/** Bytes of each layer. */
const LAYER_SIZE = 250_000;

/**
 * Publishes what the specification needs, and writes the key and catalogue that it names.
 * @param host `127.0.0.1:port` of a writable registry
 */
export async function fillUpstream(host: string, folder: string): Promise<ElasticDownloads> {
  const pair = generateKeyPair();
  const key = parsePrivateKey(pair.privatePem, { where: 'the key of the stand-ins' });
  const registry = new Registry(host);
  try {
    for (const { name } of wantedBySpec(parseSpec(SPEC, 'airgap.yaml'), {}).images) {
      const { repository, tag } = parseReference(name);
      const index = randomIndex(name, { layerSize: LAYER_SIZE, attestations: true });
      const target = registry.repository(repository);
      await pushGraph(target, index, tag);
      await pushGraph(target, cosignSignature(index.root, key), cosignTags(index.root.digest)[0]);
    }
  } finally {
    await registry.close();
  }
  const downloads = await elasticDownloads({
    eck: [ECK],
    charts: await elasticCharts(ECK),
    cosignKey: pair.publicPem,
    smallCrds: true,
  });
  await writeFile(join(folder, 'cosign.pub'), pair.publicPem);
  await writeFile(join(folder, 'catalogue.yaml'), downloads.catalogue);
  return downloads;
}
