// A bundle made out of a real registry (TLS, an account, a mirror) is an image layout that other tools read as it is.
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { digestsAroundSignature, sha256OfFile } from '../../scripts/interop/bundle-file.ts';
import { startContainerd } from '../../scripts/interop/containerd.ts';
import { MANY, NGINX, ORIGIN, SMALL } from '../../scripts/interop/images.ts';
import { openPodman } from '../../scripts/interop/podman.ts';
import { output, run } from '../../scripts/interop/process.ts';
import { copyOut, digestAt, manifestAt, platformOf, type ImageIndex } from '../../scripts/interop/skopeo.ts';
import { airgap } from '../../scripts/interop/airgap.ts';
import { journey, once } from './stage/journey.ts';
import { accessTo, bundledImages, makeSite, registryAccess, scratchFolder } from './stage/site.ts';

const onePlatform = once((stage) => makeSite(stage));
const allPlatforms = once((stage) => makeSite(stage, { platforms: 'all' }));

describe('01 build', () => {
  journey('lock and build take every image as it is upstream', {}, async (stage) => {
    const images = await bundledImages(await allPlatforms(stage));
    const digests = Object.fromEntries([...images].map(([name, { digest }]) => [name, digest]));
    expect(digests).toEqual(stage.digests);
  });

  journey('an image of one platform replaces an index', {}, async (stage) => {
    const images = await bundledImages(await onePlatform(stage));
    const index = await manifestAt<ImageIndex>(
      `docker://${stage.upstream.host}/${MANY}`,
      accessTo(stage, stage.upstream),
    );
    const amd64 = index.manifests.find((child) => platformOf(child) === 'linux/amd64');
    expect(images.get(MANY)?.digest).toBe(amd64?.digest);
    expect(images.get(MANY)?.original?.digest).toBe(stage.digests[MANY]);
  });

  journey('a second build has nothing to do and leaves the same bytes', {}, async (stage) => {
    const site = await makeSite(stage, { images: [SMALL] });
    const before = await sha256OfFile(site.bundle);
    const again = ['build', 'airgap.yaml', '--key', 'keys/airgap.key', '--out', 'media', '--json'];
    const { stdout } = await airgap(site.folder, [...again, ...registryAccess(stage, stage.upstream)]);
    expect(JSON.parse(stdout)).toMatchObject({ bytesWritten: 0 });
    expect(await sha256OfFile(site.bundle)).toBe(before);
  });

  journey('skopeo copies every image out of the archive, digests preserved', {}, async (stage) => {
    const site = await onePlatform(stage);
    for (const [name, { digest }] of await bundledImages(site)) {
      const place = `oci-archive:${site.bundle}:${ORIGIN}/${name}`;
      expect(await digestAt(place)).toBe(digest);
      expect(await copyOut(place, await scratchFolder(stage, 'copy-'))).toBe(digest);
    }
  });

  journey('skopeo copies an index with all platforms and attestations', {}, async (stage) => {
    const site = await allPlatforms(stage);
    const folder = await scratchFolder(stage, 'copy-');
    expect(await copyOut(`oci-archive:${site.bundle}:${ORIGIN}/${MANY}`, folder)).toBe(stage.digests[MANY]);
    expect(await sha256OfFile(join(folder, 'image', 'manifest.json'))).toBe(stage.digests[MANY]);
  });

  journey('ctr images import takes it without a flag', { needs: ['containerd', 'ctr'] }, async (stage) => {
    const site = await onePlatform(stage);
    const containerd = await startContainerd(await scratchFolder(stage, 'containerd-'));
    try {
      await containerd.ctr(['images', 'import', site.bundle]);
      const expected = [...(await bundledImages(site))].map(([name, { digest }]) => [`${ORIGIN}/${name}`, digest]);
      expect(await containerd.images()).toEqual(Object.fromEntries(expected));
    } finally {
      await containerd.stop();
    }
  });

  journey('podman pulls an image out of the archive', { needs: ['podman', 'runc', 'debootstrap'] }, async (stage) => {
    const site = await onePlatform(stage);
    const podman = await openPodman(await scratchFolder(stage, 'podman-'));
    try {
      const { stdout } = await podman.run(['pull', '--quiet', `oci-archive:${site.bundle}:${ORIGIN}/${NGINX}`]);
      const manifest = await manifestAt(`docker://${stage.upstream.host}/${NGINX}`, accessTo(stage, stage.upstream));
      expect(`sha256:${stdout.trim()}`).toBe(manifest.config.digest);
    } finally {
      await podman.stop();
    }
  });
});

const PYTHON_EXTRACT = `
import sys, tarfile
with tarfile.open(sys.argv[1]) as bundle:
    bundle.extractall(sys.argv[2])
`;

describe('01 build, the file format', () => {
  const extractors = [
    { by: 'GNU tar', needs: ['tar'], command: ['tar', '-xf', 'BUNDLE', '-C', 'FOLDER'] },
    { by: 'busybox tar', needs: ['busybox'], command: ['busybox', 'tar', '-xf', 'BUNDLE', '-C', 'FOLDER'] },
    { by: 'Python', needs: ['python3'], command: ['python3', '-c', PYTHON_EXTRACT, 'BUNDLE', 'FOLDER'] },
  ] as const;
  for (const { by, needs, command } of extractors) {
    journey(`${by} extracts it, and every blob is what its name says`, { needs }, async (stage) => {
      const site = await allPlatforms(stage);
      const folder = await scratchFolder(stage, 'extracted-');
      const [program = '', ...args] = command.map((word) =>
        word.replace('BUNDLE', site.bundle).replace('FOLDER', folder),
      );
      await run(program, args);
      const blobs = await readdir(join(folder, 'blobs', 'sha256'));
      const sums = await Promise.all(blobs.map((name) => sha256OfFile(join(folder, 'blobs', 'sha256', name))));
      expect(sums).toEqual(blobs.map((name) => `sha256:${name}`));
      expect(await listing(folder)).toEqual(await entryNames(site.bundle));
    });
  }

  journey('all of them list the same entries in the same order', { needs: ['python3'] }, async (stage) => {
    const { bundle } = await allPlatforms(stage);
    const gnu = await output('tar', ['-tf', bundle]);
    expect(await output('busybox', ['tar', '-tf', bundle])).toBe(gnu);
    expect(
      await output('python3', [
        '-c',
        'import sys, tarfile\nprint("\\n".join(tarfile.open(sys.argv[1]).getnames()))',
        bundle,
      ]),
    ).toBe(gnu);
    expect(gnu.split('\n').slice(0, 5)).toEqual([
      'bundle.json',
      'bundle.json.sig',
      'chunks',
      'oci-layout',
      'index.json',
    ]);
  });

  journey('volumes joined by cat are the bundle', {}, async (stage) => {
    const whole = await makeSite(stage, { images: [SMALL, MANY] });
    const media = join(whole.folder, 'volumes');
    await mkdir(media);
    const build = ['build', 'airgap.yaml', '--key', 'keys/airgap.key', '--out', media, '--volume-size', '1M'];
    await airgap(whole.folder, [...build, ...registryAccess(stage, stage.upstream)]);
    const names = (await readdir(media)).filter((name) => /\.tar\.[0-9]{3}$/.test(name)).sort();
    expect(names.length).toBeGreaterThan(1);
    await run('sh', ['-c', 'cat site-alpha.tar.* > joined.tar'], { cwd: media });
    const verify = ['verify', 'joined.tar', '--key', whole.publicKey];
    await airgap(media, verify);
    expect(await digestsAroundSignature(join(media, 'joined.tar'))).toEqual(await digestsAroundSignature(whole.bundle));
  });
});

async function entryNames(bundle: string): Promise<string[]> {
  return (await output('tar', ['-tf', bundle])).split('\n').sort();
}

async function listing(folder: string): Promise<string[]> {
  return (await output('find', ['.', '-type', 'f', '-printf', '%P\\n'], { cwd: folder })).split('\n').sort();
}
