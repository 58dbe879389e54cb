// What holds for every URL a registry can send. Tables of addresses are in ssrf.test.ts.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isLoopback, maySendTo, placeOf } from '../../src/registry/host-place.ts';
import {
  checkForeignLayerUrl,
  checkNextPage,
  checkRealm,
  checkRedirect,
  checkUploadLocation,
  sameOrigin,
  showUrl,
} from '../../src/registry/url-policy.ts';

const host = fc.oneof(
  fc.constantFrom('registry.example', 'evil.example', 'localhost', '127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]'),
  fc.domain(),
  fc.ipV4(),
);
const port = fc.constantFrom('', ':80', ':443', ':5000');
const origin = fc
  .tuple(fc.constantFrom('http', 'https'), host, port)
  .map(([scheme, name, number]) => new URL(`${scheme}://${name}${number}`));
const sent = fc.oneof(
  fc.tuple(origin, fc.webPath()).map(([at, path]) => `${at.origin}${path}`),
  fc.webPath(),
  fc.tuple(host, fc.webPath()).map(([name, path]) => `//${name}${path}`),
  fc.string(),
);
const sender = fc.record({ origin, plainHttp: fc.boolean() });

/** The URL that is followed, or undefined when it is refused. */
function followed(check: () => URL): URL | undefined {
  try {
    return check();
  } catch (error) {
    expect(error).toMatchObject({ code: 'URL_REFUSED' });
    return undefined;
  }
}

test('where blob and credentials go is always the registry itself', () => {
  fc.assert(
    fc.property(sender, sent, (from, text) => {
      for (const check of [checkUploadLocation, checkNextPage]) {
        const url = followed(() => check(text, new URL('/v2/x', from.origin), from));
        if (url) expect(sameOrigin(url, from.origin)).toBe(true);
      }
    }),
  );
});

test.each(['//evil.example/x', '//', '//evil.example:5000/x?a=b'])(
  'http written for https is put right, and the path %j is no other host',
  (path) => {
    const origin = new URL('https://registry.example');
    for (const check of [checkUploadLocation, checkNextPage]) {
      const url = check(`http://registry.example${path}`, new URL('/v2/x', origin), { origin, plainHttp: false });
      expect(url.href).toBe(`https://registry.example${path}`);
    }
  },
);

test('nothing leads from https to http beyond this machine, and never nearer to us than the registry is', () => {
  fc.assert(
    fc.property(sender, sent, (from, text) => {
      const checks = [
        () => checkRedirect(text, new URL('/v2/x', from.origin), from),
        () => checkRealm(text, from),
        () => checkForeignLayerUrl(text, from),
      ];
      for (const url of checks.map(followed)) {
        if (!url) continue;
        if (from.origin.protocol === 'https:' && url.protocol === 'http:') {
          expect([isLoopback(url.hostname), isLoopback(from.origin.hostname)]).toEqual([true, true]);
        }
        expect(maySendTo(placeOf(from.origin.hostname), placeOf(url.hostname))).toBe(true);
        expect(url.username + url.password + url.hash).toBe('');
      }
    }),
  );
});

test('plain http beyond this machine needs its flag', () => {
  fc.assert(
    fc.property(origin, sent, (at, text) => {
      const from = { origin: at, plainHttp: false };
      for (const check of [() => checkRedirect(text, new URL('/v2/x', at), from), () => checkRealm(text, from)]) {
        const url = followed(check);
        if (url && !isLoopback(url.hostname)) expect(url.protocol).toBe('https:');
      }
    }),
  );
});

test('relative URLs are of the request that they answer', () => {
  const from = { origin: new URL('https://r.example'), plainHttp: false };
  const request = new URL('https://r.example/v2/a/b/blobs/uploads/');
  expect(checkUploadLocation('u-1?_state=x', request, from).href).toBe(
    'https://r.example/v2/a/b/blobs/uploads/u-1?_state=x',
  );
  expect(checkUploadLocation('/v2/a/b/u#f', request, from).href).toBe('https://r.example/v2/a/b/u');
  expect(checkNextPage('?last=z', new URL('https://r.example/v2/a/tags/list?n=1'), from).search).toBe('?last=z');
});

test('a URL is shown without what may be secret', () => {
  expect(showUrl(new URL('https://u:p@s3.example/a/b?sig=secret#x'))).toBe('https://s3.example/a/b');
});

test('this machine by any name, and nothing else', () => {
  for (const name of ['localhost', 'a.localhost', 'localhost.', '127.0.0.1', '127.9.9.9', '[::1]'])
    expect(isLoopback(name)).toBe(true);
  for (const name of ['0.0.0.0', '[::]', 'localhost.example', '128.0.0.1', '10.0.0.1', 'registry'])
    expect(isLoopback(name)).toBe(false);
});
