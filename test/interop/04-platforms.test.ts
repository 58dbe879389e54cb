// An index of three platforms with attestations, in a registry that refuses an index whose children are absent.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { startContainerd, writeHosts } from '../../scripts/interop/containerd.ts';
import { MANY, PLATFORMS } from '../../scripts/interop/images.ts';
import { output } from '../../scripts/interop/process.ts';
import { ACCOUNT } from '../../scripts/interop/registry.ts';
import { copyOut, digestAt, manifestAt, platformOf, type ImageIndex } from '../../scripts/interop/skopeo.ts';
import { journey } from './stage/journey.ts';
import { accessTo, bundledImages, enclaveRegistry, load, makeSite, scratchFolder } from './stage/site.ts';
import type { Stage } from './stage/setup.ts';

const ATTESTED = 'vnd.docker.reference.digest';

describe('04 platforms', () => {
  journey('the registry does refuse the original index without its children', { needs: ['curl'] }, async (stage) => {
    const registry = await enclaveRegistry(stage);
    const file = join(await scratchFolder(stage, 'index-'), 'index.json');
    await writeFile(file, await rawIndex(stage));
    const type = 'Content-Type: application/vnd.oci.image.index.v1+json';
    const account = ['--user', `${ACCOUNT.username}:${ACCOUNT.password}`, '--cacert', stage.certificates.ca];
    const put = ['--silent', '--request', 'PUT', '--header', type, '--data-binary', `@${file}`, ...account];
    const url = `${registry.url}/v2/${MANY.replace(':', '/manifests/')}`;
    expect(await output('curl', [...put, url])).toContain('MANIFEST_BLOB_UNKNOWN');
  });

  journey('one platform: its manifest is pushed under the tag', {}, async (stage) => {
    const site = await makeSite(stage, { images: [MANY], platforms: ['linux/arm64'] });
    const registry = await enclaveRegistry(stage);
    await load(stage, site, registry);
    const place = `docker://${registry.host}/${MANY}`;
    const child = (await upstreamIndex(stage)).manifests.find((one) => platformOf(one) === 'linux/arm64');
    expect(await copyOut(place, await scratchFolder(stage, 'copy-'), accessTo(stage, registry))).toBe(child?.digest);
    const { layers } = await manifestAt(place, accessTo(stage, registry));
    expect(layers).toHaveLength(2);
  });

  journey('two platforms: a filtered index with their attestations, the original named', {}, async (stage) => {
    const platforms = ['linux/amd64', 'linux/arm/v7'];
    const site = await makeSite(stage, { images: [MANY], platforms });
    const registry = await enclaveRegistry(stage);
    await load(stage, site, registry);
    const place = `docker://${registry.host}/${MANY}`;
    const access = accessTo(stage, registry);
    const index = await manifestAt<ImageIndex>(place, access);
    expect(index.manifests).toEqual(wanted(await upstreamIndex(stage), platforms));
    expect(Object.values(index.annotations ?? {})).toContain(stage.digests[MANY]);
    expect((await bundledImages(site)).get(MANY)?.digest).toBe(await digestAt(place, access));
    expect(await copyOut(place, await scratchFolder(stage, 'copy-'), access)).toBe(await digestAt(place, access));
  });

  journey('all platforms: the original index', {}, async (stage) => {
    const site = await makeSite(stage, { images: [MANY], platforms: 'all' });
    const registry = await enclaveRegistry(stage);
    await load(stage, site, registry);
    const place = `docker://${registry.host}/${MANY}`;
    const digest = await copyOut(place, await scratchFolder(stage, 'copy-'), accessTo(stage, registry));
    expect(digest).toBe(stage.digests[MANY]);
  });

  journey('all platforms named one by one: the original index too', {}, async (stage) => {
    const site = await makeSite(stage, { images: [MANY], platforms: PLATFORMS });
    expect((await bundledImages(site)).get(MANY)?.digest).toBe(stage.digests[MANY]);
  });

  journey(
    'containerd pulls its own platform from the filtered index',
    { needs: ['containerd', 'ctr'] },
    async (stage) => {
      const site = await makeSite(stage, { images: [MANY], platforms: ['linux/amd64', 'linux/arm64'] });
      const registry = await enclaveRegistry(stage);
      await load(stage, site, registry);
      const folder = await scratchFolder(stage, 'containerd-');
      const containerd = await startContainerd(folder);
      try {
        const hosts = await writeHosts(folder, registry.host, stage.certificates.ca);
        const account = `${ACCOUNT.username}:${ACCOUNT.password}`;
        const reference = `${registry.host}/${MANY}`;
        await containerd.ctr(['images', 'pull', '--hosts-dir', hosts, '--user', account, reference]);
        expect((await containerd.images())[reference]).toBe((await bundledImages(site)).get(MANY)?.digest);
      } finally {
        await containerd.stop();
      }
    },
  );
});

async function upstreamIndex(stage: Stage): Promise<ImageIndex> {
  return JSON.parse(await rawIndex(stage)) as ImageIndex;
}

async function rawIndex(stage: Stage): Promise<string> {
  const access = ['--cert-dir', stage.certificates.clientFolder, '--authfile', stage.upstream.authfile];
  return output('skopeo', ['inspect', '--raw', ...access, `docker://${stage.upstream.host}/${MANY}`]);
}

/** The children for these platforms, and what attests them, in the original's order. */
function wanted(index: ImageIndex, platforms: readonly string[]): ImageIndex['manifests'] {
  const chosen = index.manifests.filter((child) => platforms.includes(platformOf(child))).map(({ digest }) => digest);
  return index.manifests.filter(
    ({ digest, annotations }) => chosen.includes(digest) || chosen.includes(annotations?.[ATTESTED] ?? ''),
  );
}
