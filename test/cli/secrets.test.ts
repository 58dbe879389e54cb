// A secret in every place that one can be in, and everything that comes out searched for it: messages, locks, bundles, what
// lies beside them, the cache and the state.
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { chartIndex, packChart } from '../support/chart.ts';
import { cli, type CliResult } from '../support/cli.ts';
import { journey, type Journey } from '../support/journey.ts';

/** In all of them. */
const MARK = 'hunter2';
const PASSPHRASE = `${MARK}-passphrase`;
const PASSWORD = `${MARK}-password`;
const NAME = 'someone';
const BASIC = Buffer.from(`${NAME}:${PASSWORD}`).toString('base64');
const TOKEN = `${MARK}-token`;
const CHART = { chart: { name: 'app', version: '1.0.0' }, values: {} };

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>;

let site: Journey;
let front: string;
let web: string;
/** Answers before the ordinary ones do, where it is set. */
let instead: Answer | undefined;

beforeEach(async () => {
  instead = undefined;
  site = await journey();
  front = await serve(frontRegistry);
  web = await serve(await downloads());
  await writeFile(site.path('airgap.key'), generateKeyPair({ passphrase: PASSPHRASE }).privatePem, { mode: 0o600 });
  await mkdir(site.path('docker'));
  const auths = { [front]: { auth: BASIC } };
  await writeFile(site.path('docker', 'config.json'), JSON.stringify({ auths }));
  await writeSpec();
});
afterEach(() => site.end());

async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host ?? ''}`);
    void Promise.resolve((instead ?? answer)(request, response, url)).then(() =>
      response.headersSent ? undefined : answer(request, response, url),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Upstream behind a token service; blobs are at addresses with a signature. */
const frontRegistry: Answer = async ({ method, headers }, response, { pathname, host, search }) => {
  if (pathname === '/token') {
    const known = headers.authorization === `Basic ${BASIC}`;
    return void response.writeHead(known ? 200 : 401).end(JSON.stringify({ token: TOKEN }));
  }
  if (headers.authorization !== `Bearer ${TOKEN}`) {
    const challenge = `Bearer realm="http://${host}/token",service="s",scope="repository:x:pull"`;
    return void response.writeHead(401, { 'www-authenticate': challenge }).end();
  }
  if (pathname.includes('/blobs/')) {
    const location = `http://${site.upstream.host}${pathname}?X-Amz-Signature=${MARK}-redirect`;
    return void response.writeHead(307, { location }).end();
  }
  const found = await fetch(`http://${site.upstream.host}${pathname}${search}`, {
    method: method ?? 'GET',
    headers: { accept: headers.accept ?? '*/*' },
  });
  response.writeHead(found.status, Object.fromEntries(found.headers)).end(Buffer.from(await found.arrayBuffer()));
};

/** A file at a signed address, and a repository of charts that wants a token, whose archive is at a signed one. */
async function downloads(): Promise<Answer> {
  const archive = await packChart(CHART);
  const entry = { chart: CHART.chart, archive, url: `app-1.0.0.tgz?sig=${MARK}-archive` };
  const contents = new Map<string, Buffer>([
    [`/tool.bin?sig=${MARK}-file&se=2030`, Buffer.from('a tool')],
    [`/charts/index.yaml?token=${MARK}-repository`, Buffer.from(chartIndex('', [entry]))],
    [`/charts/app-1.0.0.tgz?sig=${MARK}-archive`, archive],
  ]);
  return (_request, response, { pathname, search }) => {
    const found = contents.get(`${pathname}${search}`);
    if (found === undefined) return echo(_request, response, new URL(`http://h${pathname}${search}`));
    response.writeHead(200, { 'content-length': found.byteLength }).end(found);
  };
}

/** As servers do that mean to help. */
const echo: Answer = ({ headers }, response, { search, searchParams }) => {
  const said = `no: ${search} ${[...searchParams.values()].join(' ')} Authorization: ${headers.authorization ?? ''}`;
  response.writeHead(403, { 'content-type': 'text/plain' }).end(said);
};

async function writeSpec(extra: Record<string, unknown> = {}): Promise<void> {
  await site.writeSpec({
    mirrors: { 'docker.elastic.co': `http://${front}` },
    files: [{ url: `http://${web}/tool.bin?sig=${MARK}-file&se=2030` }],
    charts: [{ repository: `http://${web}/charts?token=${MARK}-repository`, name: 'app', version: '1.0.0' }],
    ...extra,
  });
}

const ENV = {
  DOCKER_CONFIG: 'docker',
  ECK_AIRGAP_PASSPHRASE: PASSPHRASE,
  HTTPS_PROXY: `http://${NAME}:${PASSWORD}@proxy.example:3128`,
  HTTP_PROXY: `http://${NAME}:${PASSWORD}@proxy.example:3128`,
};

const run = (argv: readonly string[], env: Record<string, string> = {}, stdin?: string): Promise<CliResult> =>
  cli(argv, {
    cwd: site.folder,
    env: { ...ENV, DOCKER_CONFIG: site.path('docker'), ...env },
    ...(stdin === undefined ? {} : { stdin }),
  });
const BUILD = ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media'];

/** The secrets of `text`, in the clear or as they are sent. */
function secretsIn(text: Buffer | string): string[] {
  return [MARK, BASIC, encodeURIComponent(BASIC)].filter((secret) => text.includes(secret));
}

/** Every file below the site but those that the user wrote. */
async function written(): Promise<string[]> {
  const own = ['airgap.yaml', join('docker', 'config.json')];
  const found = await readdir(site.folder, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((file) => !own.includes(file.slice(site.folder.length + 1)));
}

test('nothing that lock, build and load print or write has a secret in it', async () => {
  const load = ['load', 'media', '--key', 'airgap.pub', '--registry', `${site.enclave.host}/elastic`];
  await run(['keygen', '--card', 'airgap.key', '-v']);
  const commands: [string[], string?][] = [
    [['lock', 'airgap.yaml', '-v']],
    [['lock', 'airgap.yaml', '--check', '-v', '--json']],
    [[...BUILD, '-v']],
    [[...BUILD, '-v', '--json']],
    [['inspect', 'media', '-v', '--json']],
    [['diff', 'airgap.lock.yaml', 'media', '-v', '--json']],
  ];
  for (const [argv] of commands) {
    const { status, stdout, stderr } = await run(argv);
    expect([status, argv.join(' '), status === 0 ? '' : stderr]).toEqual([0, argv.join(' '), '']);
    expect(secretsIn(stdout + stderr), argv.join(' ')).toEqual([]);
  }
  const card = await run(['keygen', '--card', 'airgap.key', '--json']);
  const { card: text } = JSON.parse(card.stdout) as { card: string };
  await writeFile(site.path('airgap.pub'), /-----BEGIN[^]+-----END PUBLIC KEY-----\n/.exec(text)?.[0] ?? '');
  const loaded = await run([...load, '--username', NAME, '--password-stdin', '-v'], {}, `${PASSWORD}\n`);
  expect(loaded).toMatchObject({ status: 0 });
  expect(secretsIn(loaded.stdout + loaded.stderr)).toEqual([]);
  const files = await written();
  expect(files.filter((file) => file.endsWith('.tar') || file.endsWith('airgap.lock.yaml'))).toHaveLength(2);
  for (const file of files) expect(secretsIn(await readFile(file)), file).toEqual([]);
});

test('the lock says that a query was left out, and is not stale when it changes', async () => {
  await run(['lock', 'airgap.yaml']);
  const { files, images } = await site.readLock();
  expect(files).toMatchObject([{ name: 'tool.bin', url: `http://${web}/tool.bin`, queryWithheld: true }]);
  const chart = images.find((image) => image.chart)?.chart;
  expect(chart).toMatchObject({ url: `http://${web}/charts/app-1.0.0.tgz`, queryWithheld: true });
  await writeSpec({ files: [{ url: `http://${web}/tool.bin?sig=another` }] });
  const again = await run(BUILD, { XDG_CACHE_HOME: site.path('another-cache') });
  expect(again.stderr).not.toContain('LOCK_STALE');
  expect(again.stderr).toContain('[REGISTRY_DENIED]');
});

test('a lock of an older release, with a query in it, is not carried', async () => {
  await run(['lock', 'airgap.yaml']);
  await site.changeLock((lock) => ({
    ...lock,
    files: lock.files.map((file) => ({ ...file, url: `${file.url ?? ''}?sig=${MARK}` })),
  }));
  const result = await run(BUILD);
  expect(result.stderr).toContain('[LOCK_STALE]');
  expect(secretsIn(result.stderr)).toEqual([]);
});

describe('an error has no secret in it', () => {
  const to = (location: string): Answer => {
    return ({ method }, response) => void response.writeHead(method === 'GET' ? 307 : 200, { location }).end();
  };
  const only = (path: string, answer: Answer): Answer => {
    return (request, response, url) => (url.pathname.includes(path) ? answer(request, response, url) : undefined);
  };
  const text = (said: string): Answer => {
    return (_request, response) => void response.writeHead(200, { 'content-length': said.length }).end(said);
  };
  const index = (url: string, more: object = {}): Answer =>
    text(chartIndex('', [{ chart: CHART.chart, archive: Buffer.from('x'), url, ...more }]));

  test.each<[string, Answer]>([
    ['a file that is refused, with the request repeated', only('tool.bin', echo)],
    ['a registry that refuses, with the request repeated', only('/v2/', echo)],
    ['a token service that refuses, with the request repeated', only('/token', echo)],
    ['a redirect to the local link', only('tool.bin', to(`http://169.254.169.254/?sig=${MARK}`))],
    ['a redirect to what is no URL', only('tool.bin', to(`http://[${MARK}?sig=${MARK}`.replace(`[${MARK}`, '[')))],
    ['a redirect with a password', only('tool.bin', to(`https://u:${MARK}@h.example/`))],
    ['a redirect without end', only('tool.bin', (r, s, url) => to(url.href)(r, s, url))],
    ['a file that is cut off', only('tool.bin', (r) => void r.socket.destroy())],
    ['an index that is none', only('index.yaml', text('a: [b'))],
    ['an index without the chart', only('index.yaml', text('apiVersion: v1\nentries: {}\n'))],
    ['an index with a wrong entry', only('index.yaml', index('', { digest: 'no' }))],
    ['a chart with a password in its address', only('index.yaml', index(`https://u:${MARK}@h.example/app.tgz`))],
    ['a chart in a registry', only('index.yaml', index(`oci://h.example/app?sig=${MARK}`))],
    ['a chart that is not what the index says', only('app-1.0.0.tgz', text('no chart'))],
    ['an archive that is refused', only('app-1.0.0.tgz', echo)],
  ])('%s', async (_case, answer) => {
    instead = answer;
    for (const more of [['-v'], ['-v', '--json']]) {
      const { status, stdout, stderr } = await run(['lock', 'airgap.yaml', '--retries', '0', ...more]);
      expect(status).not.toBe(0);
      expect(secretsIn(stdout + stderr)).toEqual([]);
      expect(stderr).not.toContain('[INTERNAL]');
    }
  });

  test.each<[string, Record<string, unknown>]>([
    ['a file with a password', { files: [{ url: `https://u:${MARK}@h.example/x` }] }],
    ['a file with a token for a user', { files: [{ url: `https://${MARK}@h.example/x` }] }],
    ['a file that is no web address', { files: [{ url: `ftp://h.example/x?sig=${MARK}` }] }],
    ['a file with a fragment', { files: [{ url: `https://h.example/x#${MARK}` }] }],
    ['a repository with a password', { charts: [{ repository: `https://u:${MARK}@h`, name: 'a', version: '1.0.0' }] }],
    ['a mirror with a password', { mirrors: { 'docker.elastic.co': `https://u:${MARK}@h.example` } }],
    ['a mirror with a query', { mirrors: { 'docker.elastic.co': `https://h.example/?token=${MARK}` } }],
    ['a mirror without a scheme', { mirrors: { 'docker.elastic.co': `u:${MARK}@h.example` } }],
    ['a source with a password', { sources: { 'docker.elastic.co': { registry: `u:${MARK}@h.example` } } }],
    ['an image with a password', { images: [`https://u:${MARK}@h.example/app:1.0`] }],
    ['an image with a password and no scheme', { images: [`u:${MARK}@h.example/app:1.0`] }],
  ])('%s in airgap.yaml', async (_case, spec) => {
    await writeSpec(spec);
    const { status, stdout, stderr } = await run(['lock', 'airgap.yaml', '-v', '--json']);
    expect(status).toBe(2);
    expect(secretsIn(stdout + stderr)).toEqual([]);
  });

  test.each([`https://u:${MARK}@r.example/x`, `u:${MARK}@r.example`, `r.example?token=${MARK}`])(
    'the address of a registry that is %s',
    async (address) => {
      const argv = ['load', 'media', '--key', 'airgap.pub', '--registry', address, '-v', '--json'];
      const { status, stdout, stderr } = await run(argv);
      expect(status).toBe(2);
      expect(secretsIn(stdout + stderr)).toEqual([]);
    },
  );

  test('a proxy that cannot be used', async () => {
    for (const proxy of [`socks5://u:${MARK}@h:1`, `u:${MARK}@h:port`]) {
      const { status, stdout, stderr } = await run(['lock', 'airgap.yaml', '-v', '--json'], { HTTPS_PROXY: proxy });
      expect(status).toBe(2);
      expect(secretsIn(stdout + stderr)).toEqual([]);
    }
  });

  test('credentials that cannot be read', async () => {
    await writeFile(site.path('docker', 'config.json'), `{"auths": {"h": {"auth": "${BASIC}" `);
    const { status, stdout, stderr } = await run(['lock', 'airgap.yaml', '-v', '--json']);
    expect(status).toBe(2);
    expect(secretsIn(stdout + stderr)).toEqual([]);
  });

  test('a wrong passphrase', async () => {
    const { stdout, stderr } = await run([...BUILD, '-v', '--json'], { ECK_AIRGAP_PASSPHRASE: `${MARK}-wrong` });
    expect(stderr).toContain('[PASSPHRASE_WRONG]');
    expect(secretsIn(stdout + stderr)).toEqual([]);
  });
});
