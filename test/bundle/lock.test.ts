import { expect, test } from 'vitest';
import { encodeLock, parseLock, type Lock } from '../../src/bundle/lock.ts';
import { digestOf } from '../../src/core/digest.ts';
import { thrown } from '../support/thrown.ts';

const node = (text: string) => ({
  digest: digestOf(Buffer.from(text)),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: text.length,
});
const image = (name: string) => ({
  name,
  ...node(name),
  original: node(`index of ${name}`),
  platforms: ['linux/amd64'],
  totalSize: 1000,
  verified: 'none' as const,
  accompanying: [{ ...node(`signature of ${name}`), tag: 'sha256-x.sig' }],
});
const lock: Lock = {
  apiVersion: 'eck-airgap/v1',
  kind: 'Lock',
  metadata: { name: 'site-alpha' },
  spec: digestOf(Buffer.from('spec')),
  platforms: ['linux/amd64'],
  images: [image('docker.elastic.co/kibana/kibana:9.5.2'), image('docker.elastic.co/apm/apm-server:9.5.2')],
  files: [{ name: 'b.txt', path: './b.txt', digest: digestOf(Buffer.from('b')), size: 1, verified: 'none' }],
};

test('a lock is read as it was written, images by name', () => {
  const parsed = parseLock(encodeLock(lock).toString(), 'lock');
  expect(parsed.images.map((locked) => locked.name)).toEqual([
    'docker.elastic.co/apm/apm-server:9.5.2',
    'docker.elastic.co/kibana/kibana:9.5.2',
  ]);
  expect(parsed).toEqual({ ...lock, images: [...lock.images].reverse() });
});

test('its bytes do not depend on the order things were resolved in, nor on comments', () => {
  const bytes = encodeLock(lock);
  expect(encodeLock({ ...lock, images: [...lock.images].reverse() })).toEqual(bytes);
  expect(encodeLock(parseLock(`# reviewed by us\n${bytes.toString()}`, 'lock'))).toEqual(bytes);
});

test('an edited lock with an unknown key or a bad digest is refused', () => {
  const text = encodeLock(lock).toString();
  expect(thrown(() => parseLock(text.replace('totalSize', 'totalsize'), 'lock')).code).toBe('CONFIG_INVALID');
  expect(thrown(() => parseLock(text.replace(/sha256:[0-9a-f]/, 'sha256:X'), 'lock')).code).toBe('CONFIG_INVALID');
});
