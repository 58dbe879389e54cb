import { expect, test } from 'vitest';
import { genericPurl, ociPurl } from '../../src/build/purl.ts';
import { digestOf } from '../../src/core/digest.ts';

const digest = digestOf(Buffer.from('x'));

test.each([
  ['debian:latest', 'linux/amd64', 'debian', '?arch=amd64&repository_url=docker.io%2Flibrary%2Fdebian&tag=latest'],
  ['ghcr.io/debian:bullseye', undefined, 'debian', '?repository_url=ghcr.io%2Fdebian&tag=bullseye'],
  ['h:5000/a/b_c:1', 'linux/arm/v6', 'b_c', '?arch=arm&repository_url=h:5000%2Fa%2Fb_c&tag=1'],
])('an image %s for %s, as the specification of purl writes it', (name, platform, last, rest) => {
  const options = { digest, ...(platform === undefined ? {} : { platform }) };
  expect(ociPurl(name, options)).toBe(`pkg:oci/${last}@${digest}${rest}`);
});

test('what has no registry', () => {
  expect(genericPurl('eck-airgap')).toBe('pkg:generic/eck-airgap');
  expect(genericPurl('eck-airgap', '1.0.0+x')).toBe('pkg:generic/eck-airgap@1.0.0%2Bx');
});
