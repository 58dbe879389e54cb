// One blob of 1 GiB: memory stays flat, and what runs in the enclave needs no disk but 16 MiB of scratch.
import { rm } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { LARGE, pushLargeImage } from '../../scripts/interop/images.ts';
import { measured, onReadOnlyMachine, peakOfTree } from '../../scripts/interop/measure.ts';
import { output } from '../../scripts/interop/process.ts';
import { digestAt, manifestAt } from '../../scripts/interop/skopeo.ts';
import { journey, once } from './stage/journey.ts';
import {
  accessTo,
  buildCommand,
  enclaveRegistry,
  makeSite,
  prepareSite,
  registryAccess,
  scratchFolder,
  serveSite,
} from './stage/site.ts';

const MEBIBYTES = 1024;
const PEAK_MIB = 200;
const LONG = 600_000;

const upstream = once(async (stage) => {
  const folder = await scratchFolder(stage, 'large-');
  const { certificates, upstream: registry } = stage;
  await pushLargeImage({ registry, certificates, folder, mebibytes: MEBIBYTES });
});

const site = once(async (stage) => {
  await upstream(stage);
  const made = await makeSite(stage, { images: [LARGE] });
  await rm(`${made.folder}/cache`, { recursive: true });
  return made;
});

describe('06 limits, memory', () => {
  journey('lock and build of a 1 GiB blob', { needs: ['time'], timeout: LONG }, async (stage) => {
    await upstream(stage);
    const own = await prepareSite(stage, { images: [LARGE] });
    const lock = await measured(own.folder, ['lock', 'airgap.yaml', ...registryAccess(stage, stage.upstream)]);
    const build = await measured(own.folder, buildCommand(stage, { volumeSize: '300M' }));
    await rm(own.folder, { recursive: true });
    expectFlat('lock', lock.peakMiB);
    expectFlat('build', build.peakMiB);
  });

  journey('verify', { needs: ['time'], timeout: LONG }, async (stage) => {
    const own = await site(stage);
    const { peakMiB } = await measured(own.folder, ['verify', own.media, '--key', own.publicKey]);
    expectFlat('verify', peakMiB);
  });

  journey('load', { needs: ['time'], timeout: LONG }, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    const to = ['--key', own.publicKey, '--registry', registry.host, ...registryAccess(stage, registry)];
    const { peakMiB } = await measured(own.folder, ['load', own.media, ...to]);
    expectFlat('load', peakMiB);
  });

  journey('serve, to three clients at once', { needs: ['curl'], timeout: LONG }, async (stage) => {
    const { host, daemon } = await serveSite(await site(stage));
    const layer = (await manifestAt(`docker://${host}/${LARGE}`, 'plain')).layers[0]?.digest ?? '';
    const url = `http://${host}/v2/${LARGE.split(':')[0] ?? ''}/blobs/${layer}`;
    const fetch = (): Promise<string> =>
      output('bash', ['-c', `set -o pipefail; curl -sf "$0" | openssl dgst -sha256 -r`, url]);
    for (const sum of await Promise.all([fetch(), fetch(), fetch()]))
      expect(`sha256:${sum.split(' ')[0] ?? ''}`).toBe(layer);
    expectFlat('serve', await peakOfTree(daemon.pid));
  });
});

describe('06 limits, a machine that is read-only but for 16 MiB', () => {
  journey('inspect, verify and load', { needs: ['unshare', 'mount'], timeout: LONG }, async (stage) => {
    const own = await site(stage);
    const registry = await enclaveRegistry(stage);
    const key = ['--key', own.publicKey];
    const to = ['--registry', registry.host, ...registryAccess(stage, registry)];
    await onReadOnlyMachine(['inspect', own.media, ...key]);
    await onReadOnlyMachine(['verify', own.media, ...key]);
    await onReadOnlyMachine(['load', own.media, ...key, ...to]);
    const digest = await digestAt(`docker://${stage.upstream.host}/${LARGE}`, accessTo(stage, stage.upstream));
    expect(await digestAt(`docker://${registry.host}/${LARGE}`, accessTo(stage, registry))).toBe(digest);
  });
});

function expectFlat(command: string, peakMiB: number): void {
  console.log(`${command}: peak ${Math.round(peakMiB)} MiB with a blob of ${MEBIBYTES} MiB`);
  expect(peakMiB).toBeLessThan(PEAK_MIB);
}
