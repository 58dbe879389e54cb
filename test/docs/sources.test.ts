// docs/sources.md: each airgap.yaml of the page is one that works, and selects what the page says.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { fromSources } from '../../src/build/from-sources.ts';
import { ruleFor } from '../../src/build/image-signatures.ts';
import { wantedBySpec } from '../../src/build/wanted-by-spec.ts';
import { parseSpec } from '../../src/bundle/spec.ts';

const page = await readFile(new URL('../../docs/sources.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** Names to where they are taken from. */
function taken(example: number): Record<string, string> {
  const spec = parseSpec(examples[example] ?? '', `example ${example}`);
  const images = fromSources(wantedBySpec(spec, {}).images, spec.sources);
  return Object.fromEntries(images.map(({ name, from = name }) => [name.replace('docker.elastic.co/', ''), from]));
}

/** The name again, of which `taken` left out Elastic's registry. */
const originOf = (name: string) => (name.startsWith('registry.example/') ? name : `docker.elastic.co/${name}`);

describe('docs/sources.md', () => {
  test('has four examples', () => expect(examples).toHaveLength(4));

  test('a mirror changes no reference', () => {
    expect(Object.entries(taken(0)).every(([name, from]) => from === `docker.elastic.co/${name}`)).toBe(true);
  });

  test('Iron Bank, and the package registry from Elastic', () => {
    const images = taken(1);
    expect(images['apm/apm-server:9.5.2']).toBe('registry1.dso.mil/ironbank/elastic/apm-server/apm-server:9.5.2');
    expect(images['elastic-agent/elastic-agent:9.5.2']).toMatch(/\/ironbank\/elastic\/beats\/elastic-agent:9\.5\.2$/);
    const elsewhere = Object.values(images).filter((from) => !from.startsWith('registry1.dso.mil/'));
    expect(elsewhere).toEqual(['docker.elastic.co/package-registry/distribution:lite-9.5.2']);
  });

  test('a registry of one of your own, for one repository', () => {
    const own = Object.values(taken(2)).filter((from) => !from.startsWith('docker.elastic.co/'));
    expect(own).toEqual(['registry.example/rebuilt/elasticsearch/elasticsearch:9.5.2']);
    expect(page).toContain(own[0]);
  });

  test('signatures by a key, with an exception', () => {
    const { signatures } = parseSpec(examples[3] ?? '', 'the last example');
    const keys = Object.fromEntries(Object.keys(taken(3)).map((name) => [name, ruleFor(originOf(name), signatures)]));
    expect(keys).toMatchObject({
      'eck/eck-operator:3.5.0': undefined,
      'elasticsearch/elasticsearch:9.5.2': './cosign.pub',
      'kibana/kibana:9.5.2': './cosign.pub',
      'registry.example/tools/backup:1.4': './ours.pub',
    });
  });
});
