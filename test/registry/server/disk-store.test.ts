import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AirgapEvent } from '../../../src/core/events.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { diskStore } from '../../../src/registry/server/disk-store.ts';
import { api, sha256, type Api } from '../../support/api.ts';
import { randomBytes } from '../../support/random-image.ts';
import { rawConnection } from '../../support/raw-http.ts';
import { startRegistryProcess } from '../../support/registry-process.ts';
import { openRegistries, type Registries } from '../../support/stores.ts';

const EMPTY_INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };
const CONFIG = Buffer.from('{}');

let registries: Registries;
let ask: Api;

beforeEach(async () => {
  registries = await openRegistries();
  ask = api((await registries.serve('disk')).url);
});
afterEach(() => registries.end());

const putIndex = (tag: string, annotations: object = {}) =>
  ask.pushManifest('a/b', tag, { ...EMPTY_INDEX, annotations }, OCI_INDEX);
const tags = async () =>
  (JSON.parse((await ask('GET', '/v2/a/b/tags/list')).body.toString()) as { tags: string[] }).tags;

describe('tags', () => {
  test('that are called like a temporary file of another are tags of their own', async () => {
    await putIndex('v1.tmp', { is: 'old' });
    await putIndex('v1');
    expect(await tags()).toEqual(['v1', 'v1.tmp']);
    expect((await ask('GET', '/v2/a/b/manifests/v1.tmp')).body.toString()).toContain('old');
  });

  test('that differ in case only are two, whatever the file system', async () => {
    await putIndex('V1', { is: 'upper' });
    await putIndex('v1', { is: 'lower' });
    expect(await tags()).toEqual(['V1', 'v1']);
    const [names] = await Promise.all([readdir(join(registries.folder, 'repositories', 'a', 'b', '_tags'))]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(2);
  });

  test.each(['A'.repeat(128), 'con', 'v1.', '_blobs'])('such as %s can be pushed, listed and deleted', async (tag) => {
    expect((await putIndex(tag)).status).toBe(201);
    expect(await tags()).toEqual([tag]);
    expect((await ask('DELETE', `/v2/a/b/manifests/${tag}`)).status).toBe(202);
    expect(await tags()).toEqual([]);
  });
});

test('one manifest pushed by many at once, to one repository and to several, is there in all', async () => {
  const names = Array.from({ length: 24 }, (_, i) => `x/${i % 6}`);
  const answers = await Promise.all(names.map((name, i) => ask.pushManifest(name, `t${i}`, EMPTY_INDEX, OCI_INDEX)));
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 201));
  for (const [i, name] of names.entries()) expect((await ask('GET', `/v2/${name}/manifests/t${i}`)).status).toBe(200);
});

test('a file that cannot be read is an error that is reported, and no 404', async () => {
  const { headers } = await putIndex('v1');
  const events: AirgapEvent[] = [];
  const digest = headers['docker-content-digest'] ?? '';
  const path = join(registries.folder, 'repositories', 'a', 'b', '_manifests', digest.slice('sha256:'.length));
  await rm(path);
  await mkdir(path);
  ask = api((await registries.serve('disk', { report: (event) => events.push(event) })).url);
  const answer = await ask('GET', `/v2/a/b/manifests/${digest}`);
  expect([answer.status, answer.codes]).toEqual([500, ['UNKNOWN']]);
  expect(answer.body.toString()).not.toContain(registries.folder);
  expect(events).toMatchObject([{ type: 'warning', message: expect.stringContaining(path) as string }]);
});

test('a referrer that was deleted is not listed, and is again when it is pushed again', async () => {
  const subject = { mediaType: OCI_MANIFEST, digest: sha256('subject'), size: 7 };
  const list = async () =>
    (
      JSON.parse((await ask('GET', `/v2/a/b/referrers/${subject.digest}`)).body.toString()) as {
        manifests: { digest: string }[];
      }
    ).manifests.map(({ digest }) => digest);
  const push = () => ask.pushManifest('a/b', 'sbom', { ...EMPTY_INDEX, subject }, OCI_INDEX);
  const digest = (await push()).headers['docker-content-digest'] ?? '';
  expect(await list()).toEqual([digest]);
  await ask('DELETE', `/v2/a/b/manifests/${digest}`);
  expect(await list()).toEqual([]);
  await push();
  expect(await list()).toEqual([digest]);
});

describe('after SIGKILL', () => {
  test('in the middle of a chunk the upload goes on where it was', async () => {
    const content = randomBytes('killed', 3_000_000);
    const first = await startRegistryProcess(registries.folder);
    const location = (await api(first.url)('POST', '/v2/a/b/blobs/uploads/')).headers['location'] ?? '';
    const { socket } = rawConnection(first.port);
    socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n`);
    socket.write(content.subarray(0, 2_000_000));
    while ((await held(api(first.url), location)) < 2) continue;
    await first.kill();
    socket.destroy();

    const second = await startRegistryProcess(registries.folder);
    ask = api(second.url);
    const have = await held(ask, location);
    expect(have).toBeGreaterThan(1);
    expect(have).toBeLessThanOrEqual(2_000_000);
    const done = await ask('PUT', `${location}?digest=${sha256(content)}`, { body: content.subarray(have) });
    expect(done.status).toBe(201);
    expect((await ask('GET', `/v2/a/b/blobs/${sha256(content)}`)).body).toEqual(content);
  });

  test(
    'before any change of the disk, what was answered is there, and the rest can be pushed',
    { timeout: 120_000 },
    async () => {
      const described = (bytes: Buffer) => ({
        mediaType: 'application/octet-stream',
        digest: sha256(bytes),
        size: bytes.length,
      });
      const layer = randomBytes('layer', 400_000);
      const subject = { mediaType: OCI_MANIFEST, digest: sha256(Buffer.from('subject')), size: 7 };
      const image = {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: described(CONFIG),
        layers: [described(layer)],
        subject,
      };
      const pushes: Push[] = [
        ...[CONFIG, layer].map((bytes) => (registry: Api) => pushOf(registry, bytes)),
        async (registry) => {
          const { status } = await registry.pushManifest('k/i', 'v1', image);
          return { status, path: '/v2/k/i/manifests/v1' };
        },
      ];
      let changes = 0;
      for (let killed = true; killed; changes++) {
        const folder = join(registries.folder, String(changes));
        const server = await startRegistryProcess(folder, changes);
        const answered: string[] = [];
        killed = !(await pushedAll(api(server.url), pushes, answered));
        await server.kill();

        ask = api((await registries.serve(await diskStore(folder))).url);
        for (const path of answered) expect((await ask('GET', path)).status, `${changes}: ${path}`).toBe(200);
        for (const name of await readdir(join(folder, 'blobs', 'sha256')))
          expect(sha256(await readFile(join(folder, 'blobs', 'sha256', name)))).toBe(`sha256:${name}`);
        const digest = sha256(Buffer.from(JSON.stringify(image)));
        const listed = JSON.parse((await ask('GET', `/v2/k/i/referrers/${subject.digest}`)).body.toString()) as {
          manifests: { digest: string }[];
        };
        const there = (await ask('GET', `/v2/k/i/manifests/${digest}`)).status === 200;
        expect(
          listed.manifests.map((found) => found.digest),
          String(changes),
        ).toEqual(there ? [digest] : []);
        const again: string[] = [];
        expect(await pushedAll(ask, pushes, again)).toBe(true);
        expect(again).toHaveLength(pushes.length);
      }
      expect(changes).toBeGreaterThan(15);
    },
  );
});

async function held(registry: Api, location: string): Promise<number> {
  const { headers } = await registry('GET', location);
  return Number(/^0-([0-9]+)$/.exec(headers['range'] ?? '')?.[1]) + 1;
}

type Push = (registry: Api) => Promise<{ readonly status: number; readonly path: string }>;

async function pushOf(registry: Api, bytes: Buffer): ReturnType<Push> {
  const location = (await registry('POST', '/v2/k/i/blobs/uploads/')).headers['location'] ?? '';
  const { status } = await registry('PUT', `${location}?digest=${sha256(bytes)}`, { body: bytes });
  return { status, path: `/v2/k/i/blobs/${sha256(bytes)}` };
}

/** One push after the other; false when the registry was gone before the last was answered. @param answered paths of what is pushed */
async function pushedAll(registry: Api, pushes: readonly Push[], answered: string[]): Promise<boolean> {
  for (const push of pushes) {
    const done = await push(registry).catch(() => undefined);
    if (done === undefined) return false;
    expect(done.status, done.path).toBe(201);
    answered.push(done.path);
  }
  return true;
}
