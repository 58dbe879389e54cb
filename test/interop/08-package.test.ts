// The packaged binaries: where nothing else is installed, on the other processor, and byte for byte.
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, describe, expect, vi } from 'vitest';
import { airgap } from '../../scripts/interop/airgap.ts';
import { sha256OfFile } from '../../scripts/interop/bundle-file.ts';
import { onEmptyMachine } from '../../scripts/interop/empty-machine.ts';
import { SMALL } from '../../scripts/interop/images.ts';
import { packagedBinary } from '../../scripts/interop/packaged.ts';
import { rcdataNames } from '../../scripts/interop/pe.ts';
import { output, run } from '../../scripts/interop/process.ts';
import { digestAt } from '../../scripts/interop/skopeo.ts';
import type { Tool } from '../../scripts/interop/tools.ts';
import { bundleProgram, FUNCTION } from '../../scripts/build/bundle.ts';
import { certificateTable } from '../../scripts/package/certificate.ts';
import { codeCache } from '../../scripts/package/code-cache.ts';
import { targets } from '../../scripts/package/targets.ts';
import { VERSION } from '../../src/cli/version.ts';
import { journey, once } from './stage/journey.ts';
import { accessTo, enclaveRegistry, load, makeSite, scratchFolder, serveSite } from './stage/site.ts';

const root = new URL('../../', import.meta.url).pathname;
const site = once((stage) => makeSite(stage, { images: [SMALL] }));

const STRIP: readonly Tool[] = ['strip', 'aarch64-linux-gnu-strip'];
const EMPTY_MACHINE: readonly Tool[] = [...STRIP, 'debootstrap', 'unshare', 'mount', 'chroot'];
const ARM64: readonly Tool[] = [...STRIP, 'qemu-aarch64-static', 'arm64 libraries'];
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

afterEach(() => void vi.unstubAllEnvs());

describe('08 package, linux-x64 on a machine with nothing on it', () => {
  journey('there is no Node, and --version answers', { needs: EMPTY_MACHINE }, async (stage) => {
    const folder = await scratchFolder(stage, 'empty-');
    await copyFile(packagedBinary('linux-x64'), join(folder, 'eck-airgap'));
    await onEmptyMachine(folder, ['sh', '-c', '! command -v node && ! ls /proc/self']);
    expect(await onEmptyMachine(folder, ['./eck-airgap', '--version'])).toMatchObject({
      stdout: `${VERSION}\n`,
      stderr: '',
    });
  });

  journey('keygen makes keys, verify reads a bundle', { needs: EMPTY_MACHINE }, async (stage) => {
    const { folder, media, publicKey } = await site(stage);
    await copyFile(packagedBinary('linux-x64'), join(folder, 'eck-airgap'));
    await onEmptyMachine(folder, ['./eck-airgap', 'keygen', '--out', 'own', '--no-passphrase']);
    expect(await readFile(join(folder, 'own', 'airgap.pub'), 'utf8')).toContain('BEGIN PUBLIC KEY');
    const verify = ['./eck-airgap', 'verify', basename(media), '--key', publicKey.replace(`${folder}/`, '')];
    expect((await onEmptyMachine(folder, verify)).stdout).toContain('every byte is what was signed');
  });
});

describe('08 package, linux-x64', () => {
  journey('locks, builds, loads and serves like the program it was made from', { needs: STRIP }, async (stage) => {
    const before = await site(stage);
    vi.stubEnv('ECK_AIRGAP', packagedBinary('linux-x64'));
    const own = await makeSite(stage, { images: [SMALL] });
    const onMedia = join(own.media, 'eck-airgap-linux-x64');
    expect(await sha256OfFile(onMedia)).toBe(await sha256OfFile(packagedBinary('linux-x64')));
    vi.stubEnv('ECK_AIRGAP', onMedia);
    const registry = await enclaveRegistry(stage);
    await load(stage, own, registry);
    const { host } = await serveSite(own);
    const digest = stage.digests[SMALL];
    expect(await digestAt(`docker://${registry.host}/${SMALL}`, accessTo(stage, registry))).toBe(digest);
    expect(await digestAt(`docker://${host}/${SMALL}`, 'plain')).toBe(digest);
    const locks = [before, own].map(({ folder }) => sha256OfFile(join(folder, 'airgap.lock.yaml')));
    expect(await locks[1]).toBe(await locks[0]);
  });

  journey('a passphrase, and a wrong one', { needs: STRIP }, async (stage) => {
    const folder = await scratchFolder(stage, 'keys-');
    vi.stubEnv('ECK_AIRGAP', packagedBinary('linux-x64'));
    const env = { ECK_AIRGAP_PASSPHRASE: 'correct horse' };
    await airgap(folder, ['keygen', '--out', 'keys'], { env });
    expect(await readFile(join(folder, 'keys', 'airgap.key'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const unasked = await airgap(folder, ['keygen', '--out', 'more'], { mayFail: true });
    expect(unasked.stderr).toContain('[PASSPHRASE_REQUIRED]');
  });

  journey('NODE_OPTIONS does not get into it', { needs: STRIP }, async (stage) => {
    const evil = join(await scratchFolder(stage, 'evil-'), 'evil.cjs');
    await writeFile(evil, 'console.log("evil")');
    const env = { NODE_OPTIONS: `--require ${evil}` };
    expect(await output(process.execPath, ['--eval', '0'], { env })).toBe('evil');
    expect(await output(packagedBinary('linux-x64'), ['--version'], { env })).toBe(VERSION);
  });

  journey('neither a signal, an argument nor a variable opens a debugger', { needs: STRIP }, async (stage) => {
    const served = await site(stage);
    vi.stubEnv('ECK_AIRGAP', packagedBinary('linux-x64'));
    const { host, daemon } = await serveSite(served);
    const status = await readFile(`/proc/${daemon.pid}/status`, 'utf8');
    const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? ''}`);
    expect(caught & (1n << BigInt(constants.signals.SIGUSR1 - 1))).toBe(0n);
    process.kill(daemon.pid, 'SIGUSR1');
    expect((await fetch(`http://${host}/v2/`)).status).toBe(200);
    expect(await daemon.log()).not.toMatch(/debugger/i);
    const folder = await scratchFolder(stage, 'debugger-');
    const env = { NODE_OPTIONS: '--inspect-brk=127.0.0.1:0' };
    expect((await airgap(folder, ['--version'], { env })).stderr).toBe('');
    expect((await airgap(folder, ['--inspect-brk=127.0.0.1:0'], { mayFail: true })).stderr).not.toMatch(/debugger/i);
  });

  journey('it holds the code cache of its program', { needs: STRIP }, async (stage) => {
    const work = await scratchFolder(stage, 'code-cache-');
    const program = join(work, 'eck-airgap.cjs');
    await bundleProgram(program, FUNCTION);
    const [target] = targets.filter(({ name }) => name === 'linux-x64');
    const options = { base: process.execPath, program, work, signal: new AbortController().signal };
    const cache = await readFile((target && (await codeCache(target, options))) ?? '');
    for (const { name } of targets) {
      const binary = await readFile(packagedBinary(name));
      expect(binary.includes(cache), name).toBe(name === 'linux-x64');
    }
  });

  journey('packaged a second time, it is the same, byte for byte', { needs: STRIP }, async (stage) => {
    const out = await scratchFolder(stage, 'package-');
    await run(process.execPath, ['scripts/package.ts', '--target', 'linux-x64', '--out', out], { cwd: root });
    const first = packagedBinary('linux-x64');
    expect(await sha256OfFile(join(out, basename(first)))).toBe(await sha256OfFile(first));
  });
});

describe('08 package, linux-arm64', () => {
  const onArm64 = (args: readonly string[]): Promise<string> =>
    output('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', packagedBinary('linux-arm64'), ...args]);

  journey('--version answers', { needs: ARM64 }, async () => {
    expect(await onArm64(['--version'])).toBe(VERSION);
  });

  journey('verify reads a bundle', { needs: ARM64 }, async (stage) => {
    const { media, publicKey } = await site(stage);
    expect(await onArm64(['verify', media, '--key', publicKey])).toContain('every byte is what was signed');
  });
});

describe('08 package, win-x64', () => {
  journey('it holds the program, and no signature that no longer holds', { needs: STRIP }, async () => {
    const binary = await readFile(packagedBinary('win-x64'));
    expect(certificateTable(binary)).toMatchObject({ offset: 0, size: 0 });
    expect(rcdataNames(binary)).toContain('NODE_SEA_BLOB');
    expect(binary.includes(`${FUSE}:1`)).toBe(true);
  });
});

describe('08 package, size', () => {
  for (const { name } of targets) {
    journey(`${name} has at most 120 MB`, { needs: STRIP }, async () => {
      expect((await stat(packagedBinary(name))).size).toBeLessThanOrEqual(120_000_000);
    });
  }
});
