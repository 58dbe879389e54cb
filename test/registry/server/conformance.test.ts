// The cases of the OCI distribution conformance suite, by its four categories and names, over both stores. The suite itself
// runs with the interop tests.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { api, sha256, type Api } from '../../support/api.ts';
import { openRegistries, STORE_KINDS, type Registries } from '../../support/stores.ts';

const REPOSITORY = 'conformance/one';
const BLOBS = `/v2/${REPOSITORY}/blobs`;
const MANIFESTS = `/v2/${REPOSITORY}/manifests`;
const CONFIG = Buffer.from('{"architecture":"amd64","os":"linux"}');
const LAYER = Buffer.from('the quick brown fox jumps over the lazy dog, twice');
const UNKNOWN = sha256('nobody has this');

describe.each(STORE_KINDS)('over the %s store', (kind) => {
  let registries: Registries;
  let ask: Api;

  beforeEach(async () => {
    registries = await openRegistries();
    ask = api((await registries.serve(kind)).url);
  });
  afterEach(() => registries.end());

  const descriptor = (content: Buffer, mediaType: string) => ({
    mediaType,
    digest: sha256(content),
    size: content.byteLength,
  });
  const image = (more: object = {}) => ({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(CONFIG, 'application/vnd.oci.image.config.v1+json'),
    layers: [descriptor(LAYER, 'application/vnd.oci.image.layer.v1.tar')],
    ...more,
  });
  async function pushImage(tag: string, more: object = {}): Promise<string> {
    await ask.pushBlob(REPOSITORY, CONFIG);
    await ask.pushBlob(REPOSITORY, LAYER);
    const pushed = await ask.pushManifest(REPOSITORY, tag, image(more));
    expect(pushed.status).toBe(201);
    return pushed.headers['docker-content-digest'] ?? '';
  }

  describe('pull', () => {
    test('HEAD request to nonexistent blob should result in 404', async () => {
      await pushImage('1');
      expect((await ask('HEAD', `${BLOBS}/${UNKNOWN}`)).status).toBe(404);
    });
    test('HEAD request to existing blob should yield 200', async () => {
      await pushImage('1');
      const answer = await ask('HEAD', `${BLOBS}/${sha256(LAYER)}`);
      expect(answer.status).toBe(200);
      expect(answer.headers['docker-content-digest']).toBe(sha256(LAYER));
      expect(answer.headers['content-length']).toBe(String(LAYER.byteLength));
    });
    test('GET nonexistent blob should result in 404', async () => {
      await pushImage('1');
      const answer = await ask('GET', `${BLOBS}/${UNKNOWN}`);
      expect([answer.status, answer.codes]).toEqual([404, ['BLOB_UNKNOWN']]);
    });
    test('GET request to existing blob URL should yield 200', async () => {
      await pushImage('1');
      expect((await ask('GET', `${BLOBS}/${sha256(LAYER)}`)).body).toEqual(LAYER);
    });
    test.each([
      ['bytes=4-8', 206, 'bytes 4-8/50', LAYER.subarray(4, 9)],
      ['bytes=45-', 206, 'bytes 45-49/50', LAYER.subarray(45)],
      ['bytes=-5', 206, 'bytes 45-49/50', LAYER.subarray(45)],
      ['bytes=0-999', 206, 'bytes 0-49/50', LAYER],
      ['bytes=0-1,3-4', 200, undefined, LAYER],
      ['lines=1-2', 200, undefined, LAYER],
    ])('GET with Range %s is %d', async (range, status, contentRange, body) => {
      await pushImage('1');
      const answer = await ask('GET', `${BLOBS}/${sha256(LAYER)}`, { headers: { range } });
      expect([answer.status, answer.headers['content-range'], answer.body]).toEqual([status, contentRange, body]);
    });
    test.each(['bytes=50-', 'bytes=-0', 'bytes=5-4', `bytes=${'9'.repeat(400)}-`])(
      'GET with the Range %s is 416 and says how long the blob is',
      async (range) => {
        await pushImage('1');
        const answer = await ask('GET', `${BLOBS}/${sha256(LAYER)}`, { headers: { range } });
        expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */50']);
      },
    );
    test('HEAD request to nonexistent manifest should return 404', async () => {
      await pushImage('1');
      for (const reference of ['nothing', '.INVALID_MANIFEST_NAME'])
        expect((await ask('HEAD', `${MANIFESTS}/${reference}`)).status, reference).toBe(404);
    });
    test('HEAD request to manifest path (digest) should yield 200 response', async () => {
      const digest = await pushImage('1');
      const answer = await ask('HEAD', `${MANIFESTS}/${digest}`);
      expect([answer.status, answer.headers['docker-content-digest'], answer.headers['content-type']]).toEqual([
        200,
        digest,
        OCI_MANIFEST,
      ]);
    });
    test('HEAD request to manifest path (tag) should yield 200 response', async () => {
      const digest = await pushImage('1');
      expect((await ask('HEAD', `${MANIFESTS}/1`)).headers['docker-content-digest']).toBe(digest);
    });
    test('GET nonexistent manifest should return 404', async () => {
      await pushImage('1');
      for (const reference of [UNKNOWN, 'nothing', '.INVALID_MANIFEST_NAME']) {
        const answer = await ask('GET', `${MANIFESTS}/${reference}`);
        expect([answer.status, answer.codes], reference).toEqual([404, ['MANIFEST_UNKNOWN']]);
      }
    });
    test('GET request to manifest path (digest) should yield 200 response', async () => {
      const digest = await pushImage('1');
      expect((await ask('GET', `${MANIFESTS}/${digest}`)).body.toString()).toBe(JSON.stringify(image()));
    });
    test('GET request to manifest path (tag) should yield 200 response', async () => {
      await pushImage('1');
      expect((await ask('GET', `${MANIFESTS}/1`)).body.toString()).toBe(JSON.stringify(image()));
    });
    test('400 response body should contain OCI-conforming JSON message', async () => {
      await ask.pushBlob(REPOSITORY, CONFIG);
      const answer = await ask.pushManifest(REPOSITORY, 'bad', 'totally wrong');
      expect([answer.status, answer.codes]).toEqual([400, ['MANIFEST_INVALID']]);
    });
    test('GET from a repository that is not there is NAME_UNKNOWN', async () => {
      expect((await ask('GET', '/v2/no/such/manifests/1')).codes).toEqual(['NAME_UNKNOWN']);
    });
  });

  describe('push', () => {
    const start = async () => (await ask('POST', `${BLOBS}/uploads/`)).headers['location'] ?? '';

    test('POST request with digest and blob should yield a 201 or 202', async () => {
      const answer = await ask('POST', `${BLOBS}/uploads/?digest=${sha256(LAYER)}`, { body: LAYER });
      expect([answer.status, answer.headers['location']]).toEqual([201, `${BLOBS}/${sha256(LAYER)}`]);
      expect((await ask('GET', `${BLOBS}/${sha256(LAYER)}`)).status).toBe(200);
    });
    test('POST then PUT in one request should yield 201', async () => {
      const answer = await ask('PUT', `${await start()}?digest=${sha256(LAYER)}`, { body: LAYER });
      expect([answer.status, answer.headers['docker-content-digest']]).toEqual([201, sha256(LAYER)]);
    });
    test('PUT with another digest should yield 400 DIGEST_INVALID, and the upload is gone', async () => {
      const location = await start();
      const answer = await ask('PUT', `${location}?digest=${UNKNOWN}`, { body: LAYER });
      expect([answer.status, answer.codes]).toEqual([400, ['DIGEST_INVALID']]);
      expect((await ask('GET', location)).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
    });
    test.each(['sha256:short', 'md5:abc', ''])('PUT with the digest %j should yield 400', async (digest) => {
      expect((await ask('PUT', `${await start()}?digest=${digest}`, { body: LAYER })).codes).toEqual([
        'DIGEST_INVALID',
      ]);
    });
    test('PATCH request with blob in body should yield 202, and PUT to it 201', async () => {
      const patched = await ask('PATCH', await start(), { body: LAYER });
      expect([patched.status, patched.headers['range']]).toEqual([202, '0-49']);
      expect((await ask('PUT', `${patched.headers['location'] ?? ''}?digest=${sha256(LAYER)}`)).status).toBe(201);
    });
    test('chunks with Content-Range in order are accepted', async () => {
      const location = await start();
      for (const [first, last] of [
        [0, 19],
        [20, 39],
      ] as const) {
        const answer = await ask('PATCH', location, {
          body: LAYER.subarray(first, last + 1),
          headers: { 'content-range': `${first}-${last}` },
        });
        expect([answer.status, answer.headers['range']]).toEqual([202, `0-${last}`]);
      }
      const done = await ask('PUT', `${location}?digest=${sha256(LAYER)}`, {
        body: LAYER.subarray(40),
        headers: { 'content-range': '40-49' },
      });
      expect(done.status).toBe(201);
    });
    test('out-of-order blob upload should return 416, with what is there', async () => {
      const location = await start();
      await ask('PATCH', location, { body: LAYER.subarray(0, 20), headers: { 'content-range': '0-19' } });
      for (const header of ['30-49', '0-19', '20-21', 'nonsense']) {
        const answer = await ask('PATCH', location, { body: LAYER.subarray(30), headers: { 'content-range': header } });
        expect([answer.status, answer.headers['range']], header).toEqual([416, '0-19']);
      }
      expect((await ask('GET', location)).headers['range']).toBe('0-19');
    });
    test('GET request to blob upload should yield 204, with Range', async () => {
      const location = await start();
      await ask('PATCH', location, { body: LAYER.subarray(0, 10) });
      const answer = await ask('GET', location);
      expect([answer.status, answer.headers['range'], answer.headers['location']]).toEqual([204, '0-9', location]);
    });
    test('DELETE request to blob upload should cancel it', async () => {
      const location = await start();
      expect((await ask('DELETE', location)).status).toBe(204);
      expect((await ask('PATCH', location, { body: LAYER })).codes).toEqual(['BLOB_UPLOAD_UNKNOWN']);
    });
    test('an upload that nobody started is BLOB_UPLOAD_UNKNOWN', async () => {
      expect(
        (await ask('PATCH', `${BLOBS}/uploads/00000000-0000-4000-8000-000000000000`, { body: LAYER })).codes,
      ).toEqual(['BLOB_UPLOAD_UNKNOWN']);
      expect((await ask('PATCH', `${BLOBS}/uploads/..%2f..%2fetc`, { body: LAYER })).status).toBeGreaterThanOrEqual(
        400,
      );
    });
    test('cross-mounting a blob that the other repository has should yield 201', async () => {
      await ask.pushBlob('conformance/two', LAYER);
      const answer = await ask('POST', `${BLOBS}/uploads/?mount=${sha256(LAYER)}&from=conformance/two`);
      expect([answer.status, answer.headers['location']]).toEqual([201, `${BLOBS}/${sha256(LAYER)}`]);
    });
    test.each(['&from=conformance/two', '', '&from=../x'])(
      'cross-mounting what is not there (%j) should yield 202 and a session',
      async (from) => {
        const answer = await ask('POST', `${BLOBS}/uploads/?mount=${UNKNOWN}${from}`);
        expect(answer.status).toBe(202);
        expect(
          (await ask('PUT', `${answer.headers['location'] ?? ''}?digest=${sha256(LAYER)}`, { body: LAYER })).status,
        ).toBe(201);
      },
    );
    test('PUT should accept a manifest upload, with the digest of its bytes', async () => {
      expect(await pushImage('1')).toBe(sha256(JSON.stringify(image())));
    });
    test('PUT of a manifest under another digest should yield 400', async () => {
      await pushImage('1');
      expect((await ask.pushManifest(REPOSITORY, UNKNOWN, image())).codes).toEqual(['DIGEST_INVALID']);
    });
    test('PUT of a manifest whose blobs are not there is MANIFEST_BLOB_UNKNOWN', async () => {
      expect((await ask.pushManifest(REPOSITORY, '1', image())).codes).toEqual(['MANIFEST_BLOB_UNKNOWN']);
    });
    test('PUT of an index whose child is not there is MANIFEST_BLOB_UNKNOWN', async () => {
      const index = {
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [{ mediaType: OCI_MANIFEST, digest: UNKNOWN, size: 10 }],
      };
      expect((await ask.pushManifest(REPOSITORY, '1', index, OCI_INDEX)).codes).toEqual(['MANIFEST_BLOB_UNKNOWN']);
    });
    test('PUT of a manifest with a foreign layer that is elsewhere is accepted', async () => {
      await ask.pushBlob(REPOSITORY, CONFIG);
      const foreign = {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: UNKNOWN,
        size: 10,
        urls: ['https://layers.example/x'],
      };
      expect((await ask.pushManifest(REPOSITORY, '1', image({ layers: [foreign] }))).status).toBe(201);
    });
    test('PUT of a manifest over 4 MiB should yield 413', async () => {
      const answer = await ask.pushManifest(
        REPOSITORY,
        '1',
        image({ annotations: { pad: 'x'.repeat(4 * 1024 * 1024) } }),
      );
      expect(answer.status).toBe(413);
    });
    test('PUT of a manifest that is served as what it is not is MANIFEST_INVALID', async () => {
      await pushImage('1');
      expect((await ask.pushManifest(REPOSITORY, '2', image(), OCI_INDEX)).codes).toEqual(['MANIFEST_INVALID']);
      expect((await ask.pushManifest(REPOSITORY, '2', image({ manifests: [] }))).codes).toEqual(['MANIFEST_INVALID']);
    });
    test.each(['UPPER/case', 'a//b', 'a%2f..%2fb', '-a', 'a_', '%ff'])(
      'a repository named %s is NAME_INVALID or no endpoint',
      async (name) => {
        expect((await ask('POST', `/v2/${name}/blobs/uploads/`)).status).toBeGreaterThanOrEqual(400);
      },
    );
  });

  describe('content discovery', () => {
    test('GET request to list tags should yield 200 response, sorted', async () => {
      await pushImage('b');
      await ask.pushManifest(REPOSITORY, 'a', image());
      expect(JSON.parse((await ask('GET', `/v2/${REPOSITORY}/tags/list`)).body.toString())).toEqual({
        name: REPOSITORY,
        tags: ['a', 'b'],
      });
    });
    test('GET number of tags should be limitable by `n` query parameter, and goes on by Link and `last`', async () => {
      await pushImage('a');
      for (const tag of ['b', 'c']) await ask.pushManifest(REPOSITORY, tag, image());
      const first = await ask('GET', `/v2/${REPOSITORY}/tags/list?n=2`);
      expect(JSON.parse(first.body.toString())).toMatchObject({ tags: ['a', 'b'] });
      const [, next = ''] = /^<([^>]+)>; rel="next"$/.exec(first.headers['link'] ?? '') ?? [];
      const second = await ask('GET', next);
      expect(JSON.parse(second.body.toString())).toMatchObject({ tags: ['c'] });
      expect(second.headers['link']).toBeUndefined();
      expect(JSON.parse((await ask('GET', `/v2/${REPOSITORY}/tags/list?n=0`)).body.toString())).toMatchObject({
        tags: [],
      });
    });
    test('GET request to nonexisting repository should result in 404', async () => {
      expect((await ask('GET', '/v2/no/such/tags/list')).codes).toEqual(['NAME_UNKNOWN']);
    });
    test('GET request to empty list of referrers should yield 200', async () => {
      const answer = await ask('GET', `/v2/${REPOSITORY}/referrers/${UNKNOWN}`);
      expect([answer.status, answer.headers['content-type']]).toEqual([200, OCI_INDEX]);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ schemaVersion: 2, manifests: [] });
    });
    test('GET request to existing referrers should yield 200, also for a subject that is not there', async () => {
      const subject = { mediaType: OCI_MANIFEST, digest: UNKNOWN, size: 10 };
      await ask.pushBlob(REPOSITORY, CONFIG);
      await ask.pushBlob(REPOSITORY, LAYER);
      const pushed = await ask.pushManifest(
        REPOSITORY,
        'sbom',
        image({ subject, artifactType: 'application/spdx+json', annotations: { made: 'by us' } }),
      );
      expect(pushed.headers['oci-subject']).toBe(UNKNOWN);
      const { manifests } = JSON.parse(
        (await ask('GET', `/v2/${REPOSITORY}/referrers/${UNKNOWN}`)).body.toString(),
      ) as { manifests: unknown[] };
      expect(manifests).toEqual([
        {
          mediaType: OCI_MANIFEST,
          digest: pushed.headers['docker-content-digest'],
          size: JSON.stringify(
            image({ subject, artifactType: 'application/spdx+json', annotations: { made: 'by us' } }),
          ).length,
          artifactType: 'application/spdx+json',
          annotations: { made: 'by us' },
        },
      ]);
    });
    test('GET request to existing referrers with filter should yield 200 and say so', async () => {
      const digest = await pushImage('1');
      const subject = { mediaType: OCI_MANIFEST, digest, size: 10 };
      for (const type of ['application/a', 'application/b'])
        await ask.pushManifest(REPOSITORY, type.slice(-1), image({ subject, artifactType: type }));
      const answer = await ask('GET', `/v2/${REPOSITORY}/referrers/${digest}?artifactType=application/a`);
      expect(answer.headers['oci-filters-applied']).toBe('artifactType');
      expect((JSON.parse(answer.body.toString()) as { manifests: unknown[] }).manifests).toHaveLength(1);
    });
    test('a malformed digest for referrers is 400', async () => {
      expect((await ask('GET', `/v2/${REPOSITORY}/referrers/sha256:x`)).status).toBe(400);
    });
    test('the catalogue lists repositories, in pages', async () => {
      await pushImage('1');
      expect(JSON.parse((await ask('GET', '/v2/_catalog?n=1')).body.toString())).toEqual({
        repositories: [REPOSITORY],
      });
    });
    test('the API answers its base path', async () => {
      expect((await ask('GET', '/v2/')).status).toBe(200);
    });
  });

  describe('content management', () => {
    test('DELETE request to manifest tag should return 202, and the manifest stays', async () => {
      const digest = await pushImage('1');
      expect((await ask('DELETE', `${MANIFESTS}/1`)).status).toBe(202);
      expect((await ask('GET', `${MANIFESTS}/1`)).status).toBe(404);
      expect((await ask('GET', `${MANIFESTS}/${digest}`)).status).toBe(200);
    });
    test('DELETE request to manifest (digest) should yield 202, and its tags go too', async () => {
      const digest = await pushImage('1');
      expect((await ask('DELETE', `${MANIFESTS}/${digest}`)).status).toBe(202);
      expect((await ask('GET', `${MANIFESTS}/${digest}`)).status).toBe(404);
      expect((await ask('GET', `${MANIFESTS}/1`)).status).toBe(404);
      expect((await ask('DELETE', `${MANIFESTS}/${digest}`)).status).toBe(404);
    });
    test('GET request to tags list should reflect manifest deletion', async () => {
      const digest = await pushImage('1');
      await ask('DELETE', `${MANIFESTS}/${digest}`);
      expect(JSON.parse((await ask('GET', `/v2/${REPOSITORY}/tags/list`)).body.toString())).toMatchObject({ tags: [] });
    });
    test('DELETE request to blob URL should yield 202, and GET then 404', async () => {
      await pushImage('1');
      expect((await ask('DELETE', `${BLOBS}/${sha256(LAYER)}`)).status).toBe(202);
      expect((await ask('GET', `${BLOBS}/${sha256(LAYER)}`)).status).toBe(404);
      expect((await ask('DELETE', `${BLOBS}/${sha256(LAYER)}`)).status).toBe(404);
    });
    test('deleting a blob in one repository leaves it in another', async () => {
      await pushImage('1');
      await ask.pushBlob('conformance/two', LAYER);
      await ask('DELETE', `${BLOBS}/${sha256(LAYER)}`);
      await ask.pushManifest(
        'conformance/two',
        'x',
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
        OCI_INDEX,
      );
      expect((await ask('GET', `/v2/conformance/two/blobs/${sha256(LAYER)}`)).status).toBe(200);
    });
    test('a method that an endpoint does not know is 405, with what it knows', async () => {
      const answer = await ask('POST', `${MANIFESTS}/1`);
      expect([answer.status, answer.codes]).toEqual([405, ['UNSUPPORTED']]);
      expect(answer.headers['allow']).toContain('GET');
    });
  });
});
