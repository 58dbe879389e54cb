// A bundle goes into a real registry of the enclave (TLS, an account): once, not twice, and mends what was lost there.
import { describe, expect } from 'vitest';
import { MANY, NGINX, ORIGIN, SMALL } from '../../scripts/interop/images.ts';
import { curlInside, openPodman } from '../../scripts/interop/podman.ts';
import { NGINX_PAGE } from '../../scripts/interop/nginx.ts';
import { output } from '../../scripts/interop/process.ts';
import { ACCOUNT, type RealRegistry, type Request } from '../../scripts/interop/registry.ts';
import { copyOut, digestAt, manifestAt, type ImageIndex } from '../../scripts/interop/skopeo.ts';
import { airgap } from '../../scripts/interop/airgap.ts';
import { journey, once } from './stage/journey.ts';
import {
  accessTo,
  bundledImages,
  enclaveRegistry,
  load,
  makeSite,
  registryAccess,
  scratchFolder,
} from './stage/site.ts';
import type { Stage } from './stage/setup.ts';

const site = once((stage) => makeSite(stage));
const twoPlatforms = once((stage) => makeSite(stage, { images: [MANY], platforms: ['linux/amd64', 'linux/arm64'] }));

describe('03 load', () => {
  journey('a dry run says source=target@digest and pushes nothing', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    const said = await load(stage, own, registry, ['--dry-run']);
    const expected = [...(await bundledImages(own))].map(
      ([name, { digest }]) => `${ORIGIN}/${name}=${registry.host}/${name}@${digest}`,
    );
    const lines = said.trim().split('\n');
    expect(lines.pop()).toContain(`=${registry.host}/eck-airgap/receipts:`);
    expect(lines.sort()).toEqual(expected.sort());
    expect(changes(await registry.requests())).toEqual([]);
  });

  journey('every image is there under its path, with the digest of the bundle', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    for (const [name, { digest }] of await bundledImages(own)) {
      const place = `docker://${registry.host}/${name}`;
      expect(await digestAt(place, accessTo(stage, registry))).toBe(digest);
      expect(await copyOut(place, await scratchFolder(stage, 'copy-'), accessTo(stage, registry))).toBe(digest);
    }
  });

  journey(
    'podman pulls from there and runs it, and the web server answers',
    { needs: ['podman', 'runc', 'debootstrap', 'nsenter', 'curl'] },
    async (stage) => {
      const registry = await enclaveRegistry(stage);
      await load(stage, await site(stage), registry);
      const podman = await openPodman(await scratchFolder(stage, 'podman-'));
      try {
        const image = `${registry.host}/${NGINX}`;
        await podman.run([
          'pull',
          '--cert-dir',
          stage.certificates.clientFolder,
          '--authfile',
          registry.authfile,
          image,
        ]);
        await podman.run(['run', '--detach', '--name', 'web', '--network', 'none', image]);
        expect(await curlInside(await podman.pidOf('web'), 'http://127.0.0.1/')).toBe(NGINX_PAGE);
      } finally {
        await podman.stop();
      }
    },
  );

  journey('a prefix, and flattened names below it', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    const prefixed = { ...registry, host: `${registry.host}/mirror` };
    await load(stage, own, prefixed);
    await load(stage, own, prefixed, ['--flatten', 'flat']);
    const digest = (await bundledImages(own)).get(SMALL)?.digest;
    const access = accessTo(stage, registry);
    expect(await digestAt(`docker://${prefixed.host}/${SMALL}`, access)).toBe(digest);
    expect(await digestAt(`docker://${prefixed.host}/flat/${SMALL.split('/')[1] ?? ''}`, access)).toBe(digest);
  });

  journey('a plain registry on loopback, the account by --password-stdin', {}, async (stage) => {
    const own = await site(stage);
    const plain = await enclaveRegistry(stage, 'plain');
    await load(stage, own, plain);
    const secured = await enclaveRegistry(stage);
    const to = ['--key', own.publicKey, '--registry', secured.host, '--ca-file', stage.certificates.ca];
    const account = ['--username', ACCOUNT.username, '--password-stdin'];
    await airgap(own.folder, ['load', own.media, ...to, ...account], { input: `${ACCOUNT.password}\n` });
    const digest = (await bundledImages(own)).get(SMALL)?.digest;
    expect(await digestAt(`docker://${plain.host}/${SMALL}`, 'plain')).toBe(digest);
    expect(await digestAt(`docker://${secured.host}/${SMALL}`, accessTo(stage, secured))).toBe(digest);
  });

  journey('without an account, or with an unknown authority, it fails and says why', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    const command = ['load', own.media, '--key', own.publicKey, '--registry', registry.host, '--json'];
    const refused = await airgap(own.folder, [...command, '--ca-file', stage.certificates.ca], { mayFail: true });
    expect(codeOf(refused.stdout)).toBe('REGISTRY_UNAUTHORIZED');
    const env = { SSL_CERT_FILE: '' };
    const unknown = await airgap(own.folder, [...command, '--authfile', registry.authfile], { mayFail: true, env });
    expect(codeOf(unknown.stdout)).toBe('TLS_FAILED');
    expect(changes(await registry.requests())).toEqual([]);
  });
});

describe('03 load, again', () => {
  journey('a second load sends nothing', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    const before = (await registry.requests()).length;
    const said = await load(stage, own, registry);
    expect(changes((await registry.requests()).slice(before))).toEqual([]);
    expect(said).toContain('nothing was left to do');
  });

  journey('a blob that was deleted in the registry is sent again, and only that', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    const access = accessTo(stage, registry);
    const { layers } = await manifestAt(`docker://${registry.host}/${SMALL}`, access);
    const blob = `${SMALL.split(':')[0] ?? ''}/blobs/${layers[0]?.digest ?? ''}`;
    await request(stage, registry, 'DELETE', blob);
    expect(await request(stage, registry, 'HEAD', blob)).toBe(404);
    const before = (await registry.requests()).length;
    await load(stage, own, registry);
    expect(await request(stage, registry, 'HEAD', blob)).toBe(200);
    const uploads = (await registry.requests()).slice(before).filter(({ method }) => method === 'POST');
    expect(uploads).toHaveLength(1);
    await copyOut(`docker://${registry.host}/${SMALL}`, await scratchFolder(stage, 'copy-'), access);
  });

  journey('a manifest below an index that was deleted there is pushed again', {}, async (stage) => {
    const own = await twoPlatforms(stage);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    const access = accessTo(stage, registry);
    const place = `docker://${registry.host}/${MANY}`;
    const index = await manifestAt<ImageIndex>(place, access);
    const child = `${MANY.split(':')[0] ?? ''}/manifests/${index.manifests[1]?.digest ?? ''}`;
    await request(stage, registry, 'DELETE', child);
    expect(await request(stage, registry, 'HEAD', child)).toBe(404);
    await load(stage, own, registry);
    expect(await request(stage, registry, 'HEAD', child)).toBe(200);
    const digest = (await bundledImages(own)).get(MANY)?.digest;
    expect(await copyOut(place, await scratchFolder(stage, 'copy-'), access)).toBe(digest);
  });

  journey('a tag that someone moved is moved back, and the move is announced', {}, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    const access = accessTo(stage, registry);
    const target = `docker://${registry.host}/${SMALL}`;
    const flags = [
      '--src-cert-dir',
      stage.certificates.clientFolder,
      '--dest-cert-dir',
      stage.certificates.clientFolder,
    ];
    await output('skopeo', [
      'copy',
      ...flags,
      '--authfile',
      registry.authfile,
      `docker://${registry.host}/${MANY}`,
      target,
    ]);
    const digest = (await bundledImages(own)).get(SMALL)?.digest;
    expect(await digestAt(target, access)).not.toBe(digest);
    const to = ['--registry', registry.host, '--key', own.publicKey, '--ca-file', stage.certificates.ca];
    const { stderr } = await airgap(own.folder, ['load', own.media, ...to, '--authfile', registry.authfile]);
    expect(stderr).toContain(`${registry.host}/${SMALL} moves`);
    expect(await digestAt(target, access)).toBe(digest);
  });
});

describe('03 load, and what it leaves', () => {
  const small = once((stage) => makeSite(stage, { images: [SMALL] }));

  journey(
    'an older bundle is refused by a machine that has loaded nothing: the registry holds the receipt',
    {},
    async (stage) => {
      const own = await small(stage);
      const registry = await enclaveRegistry(stage);
      const build = ['build', 'airgap.yaml', '--key', 'keys/airgap.key', ...registryAccess(stage, stage.upstream)];
      for (const sequence of ['4', '5'])
        await airgap(own.folder, [...build, '--out', `media-${sequence}`, '--sequence', sequence]);
      const to = ['--key', own.publicKey, '--registry', registry.host, ...registryAccess(stage, registry), '--json'];
      await airgap(own.folder, ['load', 'media-5', ...to]);
      const before = (await registry.requests()).length;
      const env = { XDG_STATE_HOME: await scratchFolder(stage, 'state-') };
      const refused = await airgap(own.folder, ['load', 'media-4', ...to], { env, mayFail: true });
      expect(codeOf(refused.stdout)).toBe('BUNDLE_OLDER');
      expect(changes((await registry.requests()).slice(before))).toEqual([]);
      await airgap(own.folder, ['load', 'media-4', ...to, '--allow-older'], { env });
    },
  );

  journey('places where nothing can be written are no condition of a load', {}, async (stage) => {
    const own = await small(stage);
    const registry = await enclaveRegistry(stage);
    const to = ['--key', own.publicKey, '--registry', registry.host, ...registryAccess(stage, registry), '--json'];
    const nowhere = { env: { XDG_STATE_HOME: '/proc/nowhere' } };
    const { stdout } = await airgap(own.folder, ['load', own.media, ...to, '--receipt', '/proc/receipt.json'], nowhere);
    const { missing } = JSON.parse(stdout) as { missing: { what: string }[] };
    expect(missing.map(({ what }) => what)).toEqual(['receipt as a file', 'record of this load on this machine']);
    const digest = (await bundledImages(own)).get(SMALL)?.digest;
    expect(await digestAt(`docker://${registry.host}/${SMALL}`, accessTo(stage, registry))).toBe(digest);
  });
});

/** Requests that change something in the registry. */
function changes(requests: readonly Request[]): Request[] {
  return requests.filter(({ method }) => !['GET', 'HEAD'].includes(method));
}

/** One request by curl; answers the status. */
async function request(stage: Stage, registry: RealRegistry, method: 'HEAD' | 'DELETE', path: string): Promise<number> {
  const verb = method === 'HEAD' ? ['--head'] : ['--request', method];
  const accept = 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json';
  const account = `${ACCOUNT.username}:${ACCOUNT.password}`;
  const quiet = ['--silent', '--show-error', '--output', '/dev/null', '--write-out', '%{http_code}'];
  const args = [...quiet, ...verb, '--header', accept, '--user', account, '--cacert', stage.certificates.ca];
  return Number(await output('curl', [...args, `${registry.url}/v2/${path}`]));
}

function codeOf(json: string): string {
  return (JSON.parse(json) as { error: { code: string } }).error.code;
}
