// Files on web servers: what their answers mean, where credentials go, and what a mirror is. Errors name the URL that was
// asked for. Downloads that break off are in web-download.test.ts.
import { describe, expect, test } from 'vitest';
import { openSources } from '../../src/build/sources.ts';
import { collect } from '../../src/core/streams.ts';
import type { WebFiles } from '../../src/registry/web-files.ts';
import { answers, answersHtml, endless } from '../support/faults.ts';
import { alice, FakeClock } from '../support/registry-bench.ts';
import { rejected } from '../support/thrown.ts';
import { authority, certificate, key } from '../support/tls-fixture.ts';
import { authorizations, BYTES, fileServer, PATH, SIZE, webBench, webClient, ways } from '../support/web-bench.ts';

/** Says who asked for credentials, and has some for every host. */
function watchedCredentials() {
  const asked: string[] = [];
  const find = async (host: string) => {
    asked.push(host);
    return { ...(await alice.find()), from: '/home/me/auth.json' };
  };
  return { asked, credentials: { find } };
}

describe.each(ways)('%s', (_way, get) => {
  test('answers the bytes, with one request', async () => {
    const { server, files, url } = await webBench();
    expect(await get(files, url)).toEqual(BYTES);
    expect(server.requests).toHaveLength(1);
  });

  test('keeps the query and leaves out the fragment', async () => {
    const { server, files, url } = await webBench();
    expect(await get(files, `${url}?a=b%2Fc#d`)).toEqual(BYTES);
    expect(server.requests.map(({ path }) => path)).toEqual([`${PATH}?a=b%2Fc`]);
  });

  test.each([404, 410])('%i is CONTENT_MISSING, whatever page explains it', async (status) => {
    const { server, files, url, clock } = await webBench();
    server.misbehave({}, answersHtml(status));
    const error = await rejected(get(files, url));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain(url);
    expect(`${error.message} ${error.hint}`).not.toContain('registry');
    expect(clock.slept).toEqual([]);
  });

  test('Basic credentials answer a 401, and are not sent before', async () => {
    const { server, files, url } = await webBench({ auth: { kind: 'basic' } }, { credentials: alice });
    expect(await get(files, url)).toEqual(BYTES);
    expect(await get(files, url)).toEqual(BYTES);
    expect(server.requests.map(({ status }) => status)).toEqual([401, 200, 200]);
    expect(authorizations(server)[0]).toBeUndefined();
  });

  test('500, then fine', async () => {
    const { server, files, url, clock } = await webBench();
    server.misbehave({}, answersHtml(500));
    expect(await get(files, url)).toEqual(BYTES);
    expect(clock.slept).toHaveLength(1);
  });

  test('429 is waited out as long as Retry-After says', async () => {
    const { server, files, url, clock } = await webBench();
    server.misbehave({}, answers(429, { 'retry-after': '21' }));
    expect(await get(files, url)).toEqual(BYTES);
    expect(clock.slept).toEqual([21_000]);
  });

  test('a redirect to another host is followed without credentials', async () => {
    const { asked, credentials } = watchedCredentials();
    const { server, files, url } = await webBench({ auth: { kind: 'basic' } }, { credentials });
    const elsewhere = await fileServer({ address: '127.0.0.2' });
    server.misbehave({ at: 2 }, answers(302, { location: `${elsewhere.origin}${PATH}?signature=a%2Fb` }));
    expect(await get(files, url)).toEqual(BYTES);
    expect(authorizations(server)[1]).toMatch(/^Basic /);
    expect(authorizations(elsewhere)).toEqual([undefined]);
    expect(elsewhere.requests.map(({ path }) => path)).toEqual([`${PATH}?signature=a%2Fb`]);
    expect(new Set(asked)).toEqual(new Set([server.host]));
  });

  test('another host that a redirect leads to is told no credentials when it wants some', async () => {
    const { server, files, url } = await webBench({}, { credentials: alice });
    const elsewhere = await fileServer({ address: '127.0.0.2', auth: { kind: 'basic' } });
    server.misbehave({}, answers(302, { location: `${elsewhere.origin}${PATH}` }));
    const error = await rejected(get(files, url));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.message).toContain(url);
    expect(authorizations(elsewhere)).toEqual([undefined]);
  });

  test('nothing where a redirect leads to: both URLs are named', async () => {
    const { server, files, url } = await webBench();
    const elsewhere = await fileServer({ address: '127.0.0.2' });
    server.misbehave({}, answers(302, { location: `${elsewhere.origin}/gone` }));
    const error = await rejected(get(files, url));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain(url);
    expect(error.message).toContain(`${elsewhere.origin}/gone`);
  });

  test('a redirect from https to http is refused', async () => {
    const { server, files, url } = await webBench({ tls: { key, cert: certificate } }, { ca: authority });
    server.misbehave({}, answers(302, { location: 'http://downloads.example/crds.yaml' }));
    const error = await rejected(get(files, url));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.message).toContain(url);
    expect(`${error.message} ${error.hint}`).not.toContain('registry');
  });

  test('nobody answers: the URL is named', async () => {
    const { server, files, url } = await webBench();
    await server.close();
    const error = await rejected(get(files, url));
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain(url);
    expect(`${error.message} ${error.hint}`).not.toContain('registry');
  });
});

describe('who asked is part of the answer', () => {
  test('401 without credentials', async () => {
    const { server, files, url } = await webBench({ auth: { kind: 'basic' } });
    const error = await rejected(files.read(url, { limit: SIZE }));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.message).toContain(url);
    expect(error.message).toContain(`${server.host} wants credentials, and there are none for it`);
    expect(error.hint).not.toMatch(/docker login|image/);
  });

  test('401 with credentials that do not help', async () => {
    const { credentials } = watchedCredentials();
    const { files, url, clock } = await webBench({ auth: { kind: 'basic', password: 'another' } }, { credentials });
    const error = await rejected(files.read(url, { limit: SIZE }));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(error.message).toContain('refuses the credentials for it from /home/me/auth.json');
    expect(error.message).not.toContain('s3cret');
    expect(clock.slept).toEqual([]);
  });

  test.each([
    [403, 'REGISTRY_DENIED'],
    [429, 'REGISTRY_RATE_LIMITED'],
  ])('%i', async (status, code) => {
    const { credentials } = watchedCredentials();
    for (const [auth, said] of [
      [{ auth: { kind: 'basic' } }, 'asked with the credentials from /home/me/auth.json'],
      [{}, 'asked without credentials'],
    ] as const) {
      const { server, files, url } = await webBench(auth, { credentials, retries: 0 });
      server.misbehave({ at: 'auth' in auth ? 2 : 1 }, answersHtml(status));
      const error = await rejected(files.read(url, { limit: SIZE }));
      expect(error.code).toBe(code);
      expect(error.message).toContain(url);
      expect(error.message).toContain(said);
      expect(`${error.message} ${error.hint}`).not.toContain('registry');
    }
  });

  test('a bearer realm is no token service of a web server: nobody is sent there', async () => {
    const { server, files, url } = await webBench({}, { credentials: alice });
    const challenge = `Bearer realm="${server.origin}/token", Basic realm="x"`;
    server.misbehave({}, answers(401, { 'www-authenticate': challenge }));
    expect(await files.read(url, { limit: SIZE })).toEqual(BYTES);
    expect(server.asked('GET', /token/)).toEqual([]);
    expect(authorizations(server)[1]).toMatch(/^Basic /);
  });
});

describe('a file that is larger than may be', () => {
  test.each([
    ['by what is announced', BYTES],
    ['without saying so', endless()],
  ])('%s is not read to its end', async (_, body) => {
    const { server, files, url } = await webBench();
    server.misbehave({}, () => ({ status: 200, body }));
    const error = await rejected(files.read(url, { limit: SIZE - 1 }));
    expect(error.code).toBe('REGISTRY_PROTOCOL');
    expect(error.message).toContain(url);
  });
});

describe('mirrors', () => {
  const original = 'https://downloads.example/downloads/eck/crds.yaml';

  test.each(['/elastic', '/elastic/', '/Elastic%20Co/x'])('the path follows %s, the query too', async (prefix) => {
    const path = `${prefix.replace(/\/$/, '')}${PATH}`;
    const mirror = await fileServer({}, path);
    const { files } = webClient({ mirrors: { 'downloads.example': `${mirror.origin}${prefix}` } });
    for (const [, get] of ways) expect(await get(files, `${original}?v=1`)).toEqual(BYTES);
    expect(new Set(mirror.requests.map((request) => request.path))).toEqual(new Set([`${path}?v=1`]));
  });

  test('without a path of its own has the same paths', async () => {
    const mirror = await fileServer();
    const { files } = webClient({ mirrors: { 'downloads.example': mirror.origin } });
    expect(await files.read(original, { limit: SIZE })).toEqual(BYTES);
  });

  test('are for one host and port', async () => {
    const { server, files, url } = await webBench({}, { mirrors: { '127.0.0.1': 'https://mirror.example' } });
    expect(await files.read(url, { limit: SIZE })).toEqual(BYTES);
    expect(server.requests).toHaveLength(1);
  });

  test('a host with the name of a property has none', async () => {
    const { files } = webClient();
    expect((await rejected(files.read('http://constructor/x', { limit: 1 }))).code).toBe('TLS_REQUIRED');
  });

  test('get their own credentials, never those of the origin', async () => {
    const { asked, credentials } = watchedCredentials();
    const mirror = await fileServer({ auth: { kind: 'basic' } });
    const { files } = webClient({ credentials, mirrors: { 'downloads.example': mirror.origin } });
    expect(await files.read(original, { limit: SIZE })).toEqual(BYTES);
    expect(new Set(asked)).toEqual(new Set([mirror.host]));
  });

  test.each([
    ['lacks the file', '/else', 'CONTENT_MISSING'],
    ['fails', PATH, 'REGISTRY_ERROR'],
  ])('an error names the URL and that of the mirror, when it %s', async (_, path, code) => {
    const mirror = await fileServer({}, `/elastic${path}`);
    if (code === 'REGISTRY_ERROR') mirror.misbehave({ times: Infinity }, answersHtml(500));
    const { files } = webClient({ retries: 0, mirrors: { 'downloads.example': `${mirror.origin}/elastic` } });
    for (const [, get] of ways) {
      const error = await rejected(get(files, original));
      expect(error.code).toBe(code);
      expect(error.message).toContain(original);
      expect(error.message).toContain(`${mirror.origin}/elastic${PATH}`);
      expect(error.hint).toBeTruthy();
    }
  });

  test('that cannot be reached are named beside the URL', async () => {
    const mirror = await fileServer();
    const { origin } = mirror;
    await mirror.close();
    const { files } = webClient({ mirrors: { 'downloads.example': origin } });
    const error = await rejected(files.read(original, { limit: SIZE }));
    expect(error.code).toBe('REGISTRY_UNREACHABLE');
    expect(error.message).toContain(original);
    expect(error.message).toContain(`${origin}${PATH}`);
  });

  test.each(['mirror.example', 'ftp://mirror.example', 'https://u:p@mirror.example', 'https://mirror.example?x=y'])(
    '%j is none, and no password in it is shown',
    async (mirror) => {
      const { files } = webClient({ mirrors: { 'downloads.example': mirror } });
      const error = await rejected(files.read(original, { limit: SIZE }));
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.message).not.toContain('u:p');
    },
  );
});

describe('plain http', () => {
  test.each([
    ['a URL', 'http://downloads.example/x', {}, 'http://downloads.example/x'],
    [
      'a mirror',
      'https://downloads.example/x',
      { 'downloads.example': 'http://mirror.example/y' },
      'http://mirror.example/y',
    ],
  ])('beyond loopback is refused for %s', async (_, url, mirrors, named) => {
    const { files } = webClient({ mirrors });
    for (const [, get] of ways) {
      const error = await rejected(get(files, url));
      expect(error.code).toBe('TLS_REQUIRED');
      expect(error.message).toContain(named);
    }
  });

  test('is no matter where the mirror has TLS', async () => {
    const mirror = await fileServer({ tls: { key, cert: certificate } });
    const { files } = webClient({ ca: authority, mirrors: { 'downloads.example': mirror.origin } });
    expect(await files.read(`http://downloads.example${PATH}`, { limit: SIZE })).toEqual(BYTES);
  });
});

test.each(['', 'crds.yaml', '/crds.yaml', 'file:///etc/passwd', 'https://u:p@downloads.example/x'])(
  '%j is no URL of a file',
  async (url) => {
    const error = await rejected(webClient().files.read(url, { limit: 1 }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).not.toContain('u:p');
  },
);

test('sources have them, with the mirrors of registries, and close them', async () => {
  const mirror = await fileServer();
  const sources = openSources({
    registry: { clock: new FakeClock() },
    mirrors: { 'downloads.example': mirror.origin },
  });
  const url = `https://downloads.example${PATH}`;
  expect(await sources.web.read(url, { limit: SIZE })).toEqual(BYTES);
  await sources.close();
  expect((await rejected(sources.web.read(url, { limit: SIZE }))).code).toBe('INTERNAL');
});

describe('a file that an index names', () => {
  const drained = (files: WebFiles, url: string, foundAt: string) => collect(files.fetch(url, { foundAt }), 1e9);

  test('beside it gets the credentials for that host', async () => {
    const { server, files, url } = await webBench({ auth: { kind: 'basic' } }, { credentials: alice });
    expect(await drained(files, url, `${server.origin}/stable/index.yaml`)).toEqual(BYTES);
    expect(authorizations(server).at(-1)).toMatch(/^Basic /);
  });

  test('on another host gets none, even where there are some for that host', async () => {
    const { asked, credentials } = watchedCredentials();
    const { server, files } = await webBench({}, { credentials });
    const elsewhere = await fileServer({ address: '127.0.0.2', auth: { kind: 'basic' } });
    const error = await rejected(drained(files, `${elsewhere.origin}${PATH}`, `${server.origin}/index.yaml`));
    expect(error.code).toBe('REGISTRY_UNAUTHORIZED');
    expect(authorizations(elsewhere)).toEqual([undefined]);
    expect(asked).toEqual([]);
  });

  test('gets those of a mirror that was named for its host', async () => {
    const mirror = await fileServer({ auth: { kind: 'basic' } });
    const { files } = webClient({ credentials: alice, mirrors: { 'charts.example': mirror.origin } });
    expect(await drained(files, `https://charts.example${PATH}`, 'https://helm.example/index.yaml')).toEqual(BYTES);
  });

  test.each(['http://127.0.0.1:1/x.tgz', 'https://10.0.0.1/x.tgz', 'http://charts.example/x.tgz'])(
    'at %s is refused when the index is out there',
    async (url) => {
      const { files } = webClient({ plainHttp: true });
      expect((await rejected(drained(files, url, 'https://helm.example/index.yaml'))).code).toBe('URL_REFUSED');
    },
  );
});

test('an abort ends it with its reason', async () => {
  const { files, url } = await webBench();
  const controller = new AbortController();
  const stop = new Error('stop');
  controller.abort(stop);
  await expect(files.read(url, { limit: SIZE, signal: controller.signal })).rejects.toBe(stop);
  const reading = (async () => {
    for await (const chunk of files.fetch(url, { signal: controller.signal })) expect(chunk).toBeUndefined();
  })();
  await expect(reading).rejects.toBe(stop);
});
