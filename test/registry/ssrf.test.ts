// Where a registry may send us, and where not (server-side request forgery): the policy as a table. That the client asks
// the policy is in advisories.test.ts.
import { describe, expect, test } from 'vitest';
import {
  checkForeignLayerUrl,
  checkNextPage,
  checkRealm,
  checkRedirect,
  checkUploadLocation,
  type Sender,
} from '../../src/registry/url-policy.ts';
import { thrown } from '../support/thrown.ts';

describe('where a registry may send us (server-side request forgery)', () => {
  const sender = (origin: string, plainHttp = false): Sender => ({ origin: new URL(origin), plainHttp });
  const hub = sender('https://registry.example');
  const here = new URL('https://registry.example/v2/x/blobs/y');
  const inside = [
    '127.0.0.1',
    '127.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'x.localhost',
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[fc00::1]',
    '[::ffff:169.254.169.254]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[ff02::1]',
    '224.0.0.1',
    '255.255.255.255',
  ];

  test.each(inside)('a public registry does not send us to %s', (host) => {
    const url = `https://${host}/x`;
    expect(thrown(() => checkRedirect(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkRealm(url, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkForeignLayerUrl(url, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkUploadLocation(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkNextPage(url, here, hub)).code).toBe('URL_REFUSED');
  });

  test.each([
    'https://cdn.example/x',
    'https://8.8.8.8/x',
    'https://172.32.0.1/x',
    'https://[2606:4700::1]/x',
    'https://notlocalhost/x',
    'https://127.0.0.1.example/x',
  ])('but to %s', (url) => {
    expect(checkRedirect(url, here, hub).href).toBe(url);
    expect(checkRealm(url, hub).href).toBe(url);
    expect(checkForeignLayerUrl(url, hub).href).toBe(url);
  });

  test('a registry on a private network may, but not to this machine or to the metadata service', () => {
    const internal = sender('https://10.1.2.3:5000');
    const from = new URL('https://10.1.2.3:5000/v2/');
    expect(checkRedirect('https://10.9.9.9/x', from, internal).host).toBe('10.9.9.9');
    for (const host of ['127.0.0.1', 'localhost', '169.254.169.254', '[fe80::1]']) {
      expect(thrown(() => checkRedirect(`https://${host}/x`, from, internal)).code).toBe('URL_REFUSED');
    }
  });

  test('from https never to http', () => {
    for (const url of ['http://registry.example/x', 'http://cdn.example/x']) {
      expect(thrown(() => checkRedirect(url, here, hub)).code).toBe('URL_REFUSED');
      expect(thrown(() => checkRedirect(url, here, sender('https://registry.example', true))).code).toBe('URL_REFUSED');
      expect(thrown(() => checkRealm(url, hub)).code).toBe('URL_REFUSED');
      expect(thrown(() => checkForeignLayerUrl(url, hub)).code).toBe('URL_REFUSED');
    }
  });

  test('a redirect that came over https does not go on in http, even where the registry is spoken to in http', () => {
    const plain = sender('http://registry.internal', true);
    expect(checkRedirect('http://cdn.internal/x', new URL('http://registry.internal/v2/'), plain).host).toBe(
      'cdn.internal',
    );
    expect(thrown(() => checkRedirect('http://cdn.internal/x', new URL('https://hop.example/'), plain)).code).toBe(
      'URL_REFUSED',
    );
  });

  test('an upload goes on with https when a proxy wrote http for the same host', () => {
    expect(checkUploadLocation('http://registry.example/v2/x/blobs/uploads/1?a=b', here, hub).href).toBe(
      'https://registry.example/v2/x/blobs/uploads/1?a=b',
    );
    const port = sender('https://registry.example:5000');
    const at = new URL('https://registry.example:5000/v2/');
    expect(checkUploadLocation('http://registry.example:5000/u', at, port).href).toBe(
      'https://registry.example:5000/u',
    );
    expect(thrown(() => checkUploadLocation('http://registry.example:6000/u', at, port)).code).toBe('URL_REFUSED');
  });

  test.each([
    'https://registry.example.evil.example/x',
    'https://evil.example/registry.example',
    '//evil.example/x',
    '\\\\evil.example\\x',
    'https:\\\\evil.example',
    '/\\evil.example/x',
    'https://registry.example@evil.example/x',
    'https://registry.example:444/x',
    'https://xregistry.example/x',
    'ftp://registry.example/x',
    'javascript:alert(1)',
    'https://u:p@registry.example/x',
  ])('%s is not our own origin', (url) => {
    expect(thrown(() => checkUploadLocation(url, here, hub)).code).toBe('URL_REFUSED');
    expect(thrown(() => checkNextPage(url, here, hub)).code).toBe('URL_REFUSED');
  });

  test('a message shows neither query nor user of a refused URL', () => {
    for (const url of [
      'http://cdn.example/x?X-Amz-Signature=hunter2',
      'https://u:hunter2@cdn.example/x',
      'ftp://cdn.example/x#hunter2',
    ]) {
      const error = thrown(() => checkRedirect(url, here, hub));
      expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
    }
  });
});
