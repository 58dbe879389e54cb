import { describe, expect, test } from 'vitest';
import { wantedBySpec, type WantedBySpecOptions } from '../../src/build/wanted-by-spec.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { thrown } from '../support/thrown.ts';

function wanted(asked: object, options: WantedBySpecOptions = {}) {
  const head = { apiVersion: 'eck-airgap/v1', kind: 'BundleSpec', metadata: { name: 'site' } };
  return wantedBySpec(parseSpec(JSON.stringify({ ...head, ...asked }), 'airgap.yaml'), options);
}

const names = (asked: object, options?: WantedBySpecOptions) =>
  wanted(asked, options).images.map(({ name }) => name.replace('docker.elastic.co/', ''));

describe('airgap.yaml', () => {
  test('without elastic wants the images it names, for its platforms', () => {
    const image = { name: 'docker.elastic.co/kibana/kibana:9.5.2', platforms: ['linux/arm64'] };
    expect(wanted({ images: [image.name], platforms: image.platforms })).toEqual({ images: [image], notes: [] });
  });

  test('passes every choice on', () => {
    const elastic = {
      eck: '3.5.0',
      stack: ['8.19.20'],
      components: ['kibana', 'package-registry', { name: 'heartbeat', version: '8.18.0' }],
      flavour: 'ubi',
      packageRegistry: 'full',
      monitoring: false,
      diagnostics: '1.8.2',
    };
    expect(names({ elastic })).toEqual([
      'beats/heartbeat-ubi:8.18.0',
      'eck-dev/support-diagnostics:9.1.0',
      'eck/eck-operator-ubi:3.5.0',
      'kibana/kibana-ubi:8.19.20',
      'package-registry/distribution:8.19.20-ubi',
      'support/diagnostics:9.4.1',
    ]);
  });

  test('takes the newest diagnostics it knows where no version is named', () => {
    expect(names({ elastic: { eck: '3.5.0', diagnostics: true } })).toContain('eck-dev/support-diagnostics:9.3.1');
    const text = `
apiVersion: eck-airgap/v1
kind: Catalogue
components: [{ name: eck-diagnostics, version: 1.6.0 }]
`;
    const catalogueFile = { text, where: 'catalogue.yaml' };
    expect(names({ elastic: { eck: '3.5.0', diagnostics: true } }, { catalogueFile })).toContain(
      'eck-dev/support-diagnostics:8.5.0',
    );
  });

  test('is refused as the catalogue refuses it', () => {
    expect(thrown(() => wanted({ elastic: { eck: '3.5.0', components: ['kibanna'] } })).code).toBe('COMPONENT_UNKNOWN');
    const newer = { elastic: { eck: '3.9.0' } };
    expect(thrown(() => wanted(newer)).code).toBe('VERSION_UNKNOWN');
    expect(names(newer, { allowUnknownVersion: true })).toEqual(['eck/eck-operator:3.9.0']);
  });
});
