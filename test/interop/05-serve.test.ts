// The bundle as a registry: what skopeo, containerd and podman get from `serve`, plain and with TLS and an account.
import { describe, expect } from 'vitest';
import { startContainerd, writeHosts } from '../../scripts/interop/containerd.ts';
import { MANY, NGINX, SMALL } from '../../scripts/interop/images.ts';
import { NGINX_PAGE } from '../../scripts/interop/nginx.ts';
import { curlInside, openPodman } from '../../scripts/interop/podman.ts';
import { output, run } from '../../scripts/interop/process.ts';
import { ACCOUNT, writeHtpasswd } from '../../scripts/interop/registry.ts';
import { copyOut, manifestAt } from '../../scripts/interop/skopeo.ts';
import { journey, once } from './stage/journey.ts';
import { bundledImages, makeSite, scratchFolder, serveSite, writeAuthfile } from './stage/site.ts';
import type { Stage } from './stage/setup.ts';

const site = once((stage) => makeSite(stage, { platforms: 'all' }));
const volumes = once((stage) => makeSite(stage, { images: [SMALL, MANY], volumeSize: '1M' }));

describe('05 serve, plain on loopback', () => {
  journey('skopeo copies every image, indexes with all their platforms', {}, async (stage) => {
    const { host } = await serveSite(await site(stage));
    for (const [name, { digest }] of await bundledImages(await site(stage))) {
      expect(await copyOut(`docker://${host}/${name}`, await scratchFolder(stage, 'copy-'), 'plain')).toBe(digest);
    }
  });

  journey('skopeo lists the tags', {}, async (stage) => {
    const { host } = await serveSite(await site(stage));
    const tags = await output('skopeo', [
      'list-tags',
      '--tls-verify=false',
      `docker://${host}/${MANY.split(':')[0] ?? ''}`,
    ]);
    expect(JSON.parse(tags)).toMatchObject({ Tags: ['9.5.2'] });
  });

  journey('containerd pulls', { needs: ['containerd', 'ctr'] }, async (stage) => {
    const { host } = await serveSite(await site(stage));
    const containerd = await startContainerd(await scratchFolder(stage, 'containerd-'));
    try {
      const images = await bundledImages(await site(stage));
      for (const name of images.keys()) await containerd.ctr(['images', 'pull', '--plain-http', `${host}/${name}`]);
      const expected = [...images].map(([name, { digest }]) => [`${host}/${name}`, digest]);
      expect(await containerd.images()).toEqual(Object.fromEntries(expected));
    } finally {
      await containerd.stop();
    }
  });

  journey(
    'podman pulls and runs, and the web server answers',
    { needs: ['podman', 'runc', 'debootstrap', 'nsenter', 'curl'] },
    async (stage) => {
      const { host } = await serveSite(await site(stage));
      const podman = await openPodman(await scratchFolder(stage, 'podman-'));
      try {
        const image = `${host}/${NGINX}`;
        await podman.run(['pull', '--tls-verify=false', image]);
        await podman.run(['run', '--detach', '--name', 'web', '--network', 'none', image]);
        expect(await curlInside(await podman.pidOf('web'), 'http://127.0.0.1/')).toBe(NGINX_PAGE);
      } finally {
        await podman.stop();
      }
    },
  );

  journey('volumes are served without being joined', {}, async (stage) => {
    const { host } = await serveSite(await volumes(stage));
    for (const [name, { digest }] of await bundledImages(await volumes(stage))) {
      expect(await copyOut(`docker://${host}/${name}`, await scratchFolder(stage, 'copy-'), 'plain')).toBe(digest);
    }
  });

  journey('curl takes a range of a blob', { needs: ['curl'] }, async (stage) => {
    const { host } = await serveSite(await site(stage));
    const [layer] = (await manifestAt(`docker://${host}/${SMALL}`, 'plain')).layers;
    const url = `http://${host}/v2/${SMALL.split(':')[0] ?? ''}/blobs/${layer?.digest ?? ''}`;
    const folder = await scratchFolder(stage, 'range-');
    const script = `curl -sf "$1" -o whole; curl -sf -r 1000-1999 "$1" -o part; cmp part <(dd if=whole bs=1000 skip=1 count=1 status=none)`;
    await run('bash', ['-ec', script, 'bash', url], { cwd: folder });
  });
});

describe('05 serve, TLS and an account', () => {
  journey('skopeo copies every image; without the account it is refused', {}, async (stage) => {
    const { host } = await secured(stage);
    const certificates = stage.certificates.clientFolder;
    const authfile = await writeAuthfile(stage, host);
    for (const [name, { digest }] of await bundledImages(await site(stage))) {
      const folder = await scratchFolder(stage, 'copy-');
      expect(await copyOut(`docker://${host}/${name}`, folder, { certificates, authfile })).toBe(digest);
    }
    const anonymous = ['inspect', '--no-creds', '--cert-dir', certificates, `docker://${host}/${SMALL}`];
    const refused = await run('skopeo', anonymous, { mayFail: true });
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized|authentication required/i);
  });

  journey('containerd pulls', { needs: ['containerd', 'ctr'] }, async (stage) => {
    const { host } = await secured(stage);
    const folder = await scratchFolder(stage, 'containerd-');
    const containerd = await startContainerd(folder);
    try {
      const hosts = await writeHosts(folder, host, stage.certificates.ca);
      const account = ['--user', `${ACCOUNT.username}:${ACCOUNT.password}`];
      await containerd.ctr(['images', 'pull', '--hosts-dir', hosts, ...account, `${host}/${MANY}`]);
      const digest = (await bundledImages(await site(stage))).get(MANY)?.digest;
      expect((await containerd.images())[`${host}/${MANY}`]).toBe(digest);
    } finally {
      await containerd.stop();
    }
  });

  journey('podman logs in and pulls', { needs: ['podman', 'runc'] }, async (stage) => {
    const { host } = await secured(stage);
    const folder = await scratchFolder(stage, 'podman-');
    const podman = await openPodman(folder);
    try {
      const access = ['--cert-dir', stage.certificates.clientFolder, '--authfile', `${folder}/auth.json`];
      const login = ['login', ...access, '--username', ACCOUNT.username, '--password-stdin', host];
      await podman.run(login, { input: ACCOUNT.password });
      await podman.run(['pull', ...access, `${host}/${MANY}`]);
      const wrong = await podman.run(login, { input: 'wrong', mayFail: true });
      expect(wrong.status).not.toBe(0);
    } finally {
      await podman.stop();
    }
  });
});

async function secured(stage: Stage): ReturnType<typeof serveSite> {
  const htpasswd = await writeHtpasswd(await scratchFolder(stage, 'htpasswd-'));
  const tls = ['--tls-cert', stage.certificates.certificate, '--tls-key', stage.certificates.key];
  return serveSite(await site(stage), [...tls, '--htpasswd', htpasswd]);
}
