// Uploads by clients that break off, come back, disagree with themselves, or send what nobody wants.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RequestInfo } from '../../../src/registry/server/answer.ts';
import type { RunningRegistry } from '../../../src/registry/server/server.ts';
import { api, sha256, type Api } from '../../support/api.ts';
import { randomBytes } from '../../support/random-image.ts';
import { rawConnection, rawRequest } from '../../support/raw-http.ts';
import { openRegistries, STORE_KINDS, type Registries } from '../../support/stores.ts';

const CONTENT = randomBytes('content', 200_000);
const UPLOADS = '/v2/a/b/blobs/uploads/';

describe.each(STORE_KINDS)('over the %s store', (kind) => {
  let registries: Registries;
  let registry: RunningRegistry;
  let ask: Api;
  let over: (info: RequestInfo) => void;

  beforeEach(async () => {
    over = () => undefined;
    registries = await openRegistries();
    registry = await registries.serve(kind, { onRequest: (info) => over(info) });
    ask = api(registry.url);
  });
  afterEach(() => registries.end());

  const start = async (name = 'a/b') => (await ask('POST', `/v2/${name}/blobs/uploads/`)).headers['location'] ?? '';
  const range = async (location: string) => (await ask('GET', location)).headers['range'];
  /** A PATCH that says it has all of CONTENT and sends half of it, when all of that arrived. */
  async function halfSent(location: string) {
    const connection = rawConnection(registry.port);
    connection.socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n`);
    connection.socket.write(CONTENT.subarray(0, 100_000));
    while ((await range(location)) !== '0-99999') continue;
    return connection;
  }

  test('a chunk that goes on while another still hangs ends that one, and follows it', async () => {
    const location = await start();
    const hanging = await halfSent(location);
    const probe = await ask('PATCH', location, {
      body: Buffer.alloc(1),
      headers: { 'content-range': '199999-199999' },
    });
    expect(probe.status).toBe(416);
    await hanging.ended;
    const have = Number(/^0-([0-9]+)$/.exec(probe.headers['range'] ?? '')?.[1]) + 1;
    const rest = await ask('PATCH', location, {
      body: CONTENT.subarray(have),
      headers: { 'content-range': `${have}-199999` },
    });
    expect([rest.status, rest.headers['range']]).toEqual([202, '0-199999']);
    expect((await ask('PUT', `${location}?digest=${sha256(CONTENT)}`)).status).toBe(201);
    expect((await ask('GET', `/v2/a/b/blobs/${sha256(CONTENT)}`)).body).toEqual(CONTENT);
  });

  test('an upload can be cancelled while a chunk hangs', async () => {
    const location = await start();
    const hanging = await halfSent(location);
    expect((await ask('DELETE', location)).status).toBe(204);
    await hanging.ended;
    expect((await ask('GET', location)).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
  });

  test('many chunks for one place at once: one is taken, the others are told what is there', async () => {
    const location = await start();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        ask('PATCH', location, { body: CONTENT, headers: { 'content-range': '0-199999' } }).catch(() => undefined),
      ),
    );
    expect(answers.filter((answer) => answer?.status === 202)).toHaveLength(1);
    expect((await ask('PUT', `${location}?digest=${sha256(CONTENT)}`)).status).toBe(201);
  });

  test.each([
    ['more', CONTENT.subarray(0, 30), '0-9'],
    ['fewer', CONTENT.subarray(0, 5), '0-4'],
  ])(
    'a chunk with %s bytes than its Content-Range says is SIZE_INVALID, and nothing beyond it is kept',
    async (_, body, kept) => {
      const location = await start();
      const head = [`PATCH ${location} HTTP/1.1`, 'host: x', 'content-range: 0-9', 'transfer-encoding: chunked'];
      const chunked = Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]);
      const connection = rawConnection(registry.port);
      connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
      connection.socket.write(chunked);
      await connection.until(/^HTTP\/1\.1 400 [\s\S]*SIZE_INVALID/);
      connection.socket.destroy();
      expect(await range(location)).toBe(kept);
    },
  );

  test('what follows a body of the announced length is another request, and no part of the blob', async () => {
    const head = [`PUT ${await start()}?digest=${sha256('hello')} HTTP/1.1`, 'host: x', 'content-length: 5'];
    const next = 'GET /v2/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    expect(await rawRequest(registry.port, head, `hello${next}`)).toMatch(/^HTTP\/1\.1 201 [\s\S]*HTTP\/1\.1 200 /);
    expect((await ask('GET', `/v2/a/b/blobs/${sha256('hello')}`)).body.toString()).toBe('hello');
  });

  test('an upload in one request that breaks off leaves nothing', async () => {
    const ended = new Promise<RequestInfo>((resolve) => (over = resolve));
    const { socket } = rawConnection(registry.port);
    socket.write(`POST ${UPLOADS}?digest=${sha256(CONTENT)} HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n`);
    socket.write(CONTENT.subarray(0, 1000), () => socket.destroy());
    expect((await ended).method).toBe('POST');
    if (kind === 'disk')
      expect(await readdir(join(registries.folder, 'repositories', 'a', 'b', '_uploads'))).toEqual([]);
    expect((await ask('HEAD', `/v2/a/b/blobs/${sha256(CONTENT)}`)).status).toBe(404);
  });

  test('an upload belongs to the repository that it was started in', async () => {
    const location = await start('a/b');
    const elsewhere = location.replace('/a/b/', '/c/d/');
    expect((await ask('PATCH', elsewhere, { body: CONTENT })).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
    expect((await ask('PATCH', location, { body: CONTENT })).status).toBe(202);
  });

  test('asking for what is not there makes no repository, and neither does an upload that is open', async () => {
    await start('open/upload');
    await ask('DELETE', `/v2/never/pushed/manifests/1`);
    await ask('DELETE', `/v2/never/pushed/blobs/${sha256('x')}`);
    await ask('PATCH', '/v2/never/pushed/blobs/uploads/00000000-0000-4000-8000-000000000000', { body: CONTENT });
    await ask.pushManifest('never/pushed', '1', 'no manifest');
    expect(JSON.parse((await ask('GET', '/v2/_catalog')).body.toString())).toEqual({ repositories: [] });
    expect((await ask('GET', '/v2/never/pushed/tags/list')).codes).toEqual(['NAME_UNKNOWN']);
  });

  describe('a client that is still sending gets its answer, and no reset that could overtake it:', () => {
    const large = Buffer.alloc(24 * 1024 * 1024);
    const sized = `content-length: ${large.length}`;
    const chunked = Buffer.concat([
      Buffer.from(`${large.length.toString(16)}\r\n`),
      large,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);

    async function send(head: readonly string[], body: Buffer): Promise<string> {
      const { socket, ended } = rawConnection(registry.port);
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      const taken = new Promise<boolean>((resolve) => socket.write(body, (error) => resolve(error == null)));
      const answer = await ended;
      expect(await taken).toBe(true);
      return answer;
    }

    test('a chunk out of order', async () => {
      const head = [`PATCH ${await start()} HTTP/1.1`, 'host: x', sized, `content-range: 5-${4 + large.length}`];
      expect(await send(head, large)).toMatch(/^HTTP\/1\.1 416 [\s\S]*range: 0-0[\s\S]*BLOB_UPLOAD_INVALID/);
    });
    test('a manifest that is too large, and does not say so', async () => {
      const head = ['PUT /v2/a/b/manifests/1 HTTP/1.1', 'host: x', 'transfer-encoding: chunked'];
      expect(await send(head, chunked)).toMatch(/^HTTP\/1\.1 413 [\s\S]*MANIFEST_INVALID/);
    });
    test('a chunk for an upload that nobody started', async () => {
      const head = [`PATCH ${UPLOADS}00000000-0000-4000-8000-000000000000 HTTP/1.1`, 'host: x', sized];
      expect(await send(head, large)).toMatch(/^HTTP\/1\.1 404 [\s\S]*BLOB_UPLOAD_UNKNOWN/);
    });
  });

  describe('a client that asks before it sends', () => {
    const waiting = ['host: x', 'expect: 100-continue'];

    test('is told to go on where its body is wanted', async () => {
      const connection = rawConnection(registry.port);
      const head = [`PUT ${await start()}?digest=${sha256('hello')} HTTP/1.1`, ...waiting, 'content-length: 5'];
      connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
      await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
      connection.socket.write('hello');
      await connection.until(/HTTP\/1\.1 201 /);
      connection.socket.destroy();
    });
    test.each([
      [`PATCH ${UPLOADS}00000000-0000-4000-8000-000000000000`, 404],
      ['PUT /v2/a/b/manifests/1', 413],
    ])('is refused at once where it is not: %s', async (request, status) => {
      const answer = await rawRequest(registry.port, [`${request} HTTP/1.1`, ...waiting, 'content-length: 90000000']);
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    });
  });
});
