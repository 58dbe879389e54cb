// What the enclave can check with its own tools, before anything of ours runs: OpenSSL, sha256sum, cosign. And what cosign
// signed upstream, which `lock` checks.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { signatureSlot } from '../../scripts/interop/bundle-file.ts';
import { MANY, ORIGIN, SMALL } from '../../scripts/interop/images.ts';
import { output, run } from '../../scripts/interop/process.ts';
import { cosignPath } from '../../scripts/interop/tools.ts';
import { airgap } from '../../scripts/interop/airgap.ts';
import { cardCommands } from '../support/card-commands.ts';
import { journey, once } from './stage/journey.ts';
import { enclaveRegistry, makeSite, registryAccess, scratchFolder, type Site } from './stage/site.ts';
import type { Stage } from './stage/setup.ts';

const site = once((stage) => makeSite(stage, { images: [SMALL] }));

describe('02 signatures', () => {
  journey('openssl dgst accepts the signature slot, taken out by tar', {}, async (stage) => {
    const { bundle, publicKey } = await site(stage);
    const script = `tar -xf "$1" bundle.json bundle.json.sig
      base64 -d bundle.json.sig > slot.der
      openssl dgst -sha256 -verify "$2" -signature slot.der bundle.json`;
    expect(await shell(stage, script, [bundle, publicKey])).toBe('Verified OK');
  });

  journey('openssl dgst accepts the signature slot, taken out by dd', {}, async (stage) => {
    const { bundle, publicKey } = await site(stage);
    const { offset, size } = await signatureSlot(bundle);
    const script = `tar -xf "$1" bundle.json
      dd if="$1" bs=512 skip=${offset / 512} count=${size / 512} status=none | base64 -d > slot.der
      openssl dgst -sha256 -verify "$2" -signature slot.der bundle.json`;
    expect(await shell(stage, script, [bundle, publicKey])).toBe('Verified OK');
  });

  journey('the commands of the trust card accept the key and the signature of the media', {}, async (stage) => {
    const { media, publicKey, folder } = await site(stage);
    const card = await readFile(join(folder, 'keys', 'trust-card.txt'), 'utf8');
    // the program is not on this media; test/cli/trust-card.test.ts types the steps that need it
    const typed = cardCommands(card).steps.slice(0, 4).join('');
    const script = `cat > typed <<'END'\n${typed}END\nprintf '%s\\n%s\\n' "$1" "$2" | TMPDIR=. sh -c "$(cat typed)"`;
    const [digits = '', verified] = (await shell(stage, script, [media, publicKey])).split('\n');
    expect(card.replace(/\s/g, '')).toContain(digits.split(' ')[0]);
    expect(verified).toBe('Verified OK');
  });

  journey('cosign accepts both signatures, with no network', { needs: ['cosign', 'unshare'] }, async (stage) => {
    const { bundle, media, publicKey } = await site(stage);
    const script = `tar -xf "$1" bundle.json bundle.json.sig
      verify="unshare --net -- $4 verify-blob --key $2 --insecure-ignore-tlog"
      $verify --signature bundle.json.sig bundle.json 2>&1
      $verify --signature "$3/SHA256SUMS.sig" "$3/SHA256SUMS" 2>&1`;
    const said = await shell(stage, script, [bundle, publicKey, media, cosignPath]);
    expect(said.match(/Verified OK/g)).toHaveLength(2);
  });

  journey('openssl refuses a bundle.json in which one byte differs', {}, async (stage) => {
    const { bundle, publicKey } = await site(stage);
    const script = `tar -xf "$1" bundle.json bundle.json.sig
      sed -i s/site-alpha/site-alphb/ bundle.json
      base64 -d bundle.json.sig > slot.der
      openssl dgst -sha256 -verify "$2" -signature slot.der bundle.json || true`;
    expect(await shell(stage, script, [bundle, publicKey])).toBe('Verification failure');
  });

  journey('openssl reads the encrypted private key, and only with its passphrase', {}, async (stage) => {
    const folder = await scratchFolder(stage, 'key-');
    const env = { ECK_AIRGAP_PASSPHRASE: 'correct horse' };
    await airgap(folder, ['keygen', '--out', 'keys'], { env });
    const open = (passphrase: string): Promise<string> => opened(folder, passphrase);
    expect(await open('correct horse')).toBe(await readFile(join(folder, 'keys', 'airgap.pub'), 'utf8'));
    expect(await open('wrong horse')).toBe('');
  });

  for (const { kind, make } of [
    { kind: 'Ed25519', make: ['-algorithm', 'ed25519'] },
    { kind: 'RSA', make: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'] },
    { kind: 'P-256', make: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] },
  ]) {
    journey(`a ${kind} key made by openssl signs a bundle that verifies`, {}, async (stage) => {
      const { folder } = await site(stage);
      const keys = await scratchFolder(stage, 'openssl-key-');
      const [privateKey, publicKey] = [join(keys, 'own.key'), join(keys, 'own.pub')];
      await run('openssl', ['genpkey', ...make, '-out', privateKey]);
      await run('openssl', ['pkey', '-in', privateKey, '-pubout', '-out', publicKey]);
      const build = ['build', 'airgap.yaml', '--key', privateKey, '--out', join(keys, 'media')];
      await airgap(folder, [...build, ...registryAccess(stage, stage.upstream)]);
      const { stdout } = await airgap(folder, ['verify', join(keys, 'media'), '--key', publicKey]);
      expect(stdout).toContain('every byte is what was signed');
    });
  }

  journey('an external program signs: here openssl, as for an HSM', {}, async (stage) => {
    const own: Site = await site(stage);
    const media = join(await scratchFolder(stage, 'signer-'), 'media');
    const key = join(own.folder, 'keys', 'airgap.key');
    const signer = ['openssl', 'dgst', '-sha256', '-sign', key];
    const flags = signer.flatMap((word, i) => (i === 0 ? ['--signer', word] : [`--signer-arg=${word}`]));
    const build = ['build', 'airgap.yaml', ...flags, '--public-key', own.publicKey, '--out', media];
    await airgap(own.folder, [...build, ...registryAccess(stage, stage.upstream)]);
    await airgap(own.folder, ['verify', media, '--key', own.publicKey]);
  });
});

describe('02 signatures of upstream', () => {
  const FORMS = [
    { form: 'under its tag', flags: ['sign', '--new-bundle-format=false'], taken: true },
    { form: 'as a Sigstore bundle', flags: ['sign', '--new-bundle-format=true'], taken: true },
    // cosign verify takes any statement about the image for a signature
    { form: 'as an attestation', flags: ['attest', '--type', 'custom', '--predicate', 'cosign.pub'], taken: false },
  ];
  for (const { form, flags, taken } of FORMS) {
    journey(`lock ${taken ? 'takes' : 'refuses'} what cosign signed ${form}`, { needs: ['cosign'] }, async (stage) => {
      const { folder, name, locks } = await upstreamSite(stage);
      const offline = ['--tlog-upload=false', '--use-signing-config=false', '--yes'];
      await cosign(folder, [...flags, '--key', 'cosign.key', ...offline, name]);
      const format = flags.filter((flag) => flag.startsWith('--new-bundle-format'));
      await cosign(folder, ['verify', '--key', 'cosign.pub', '--insecure-ignore-tlog', ...format, name]);
      const der = `openssl pkey -pubin -in "$1" -outform DER | sha256sum | cut -d" " -f1`;
      const fingerprint = await shell(stage, der, [join(folder, 'cosign.pub')]);
      expect(await locks('cosign.pub')).toEqual(
        taken ? { status: 0, key: `sha256:${fingerprint}` } : { status: 3, key: undefined },
      );
      expect(await locks('other.pub')).toEqual({ status: 3, key: undefined });
    });
  }
});

/** An image of three platforms in a registry of its own, two key pairs of cosign, and `lock` with either of them. */
async function upstreamSite(stage: Stage) {
  const folder = await scratchFolder(stage, 'upstream-');
  const registry = await enclaveRegistry(stage, 'plain');
  const from = ['--src-cert-dir', stage.certificates.clientFolder, '--src-authfile', stage.upstream.authfile];
  const copy = ['copy', '--all', '--preserve-digests', ...from, '--dest-tls-verify=false'];
  const to = `${registry.host}/${MANY}`;
  await run('skopeo', [...copy, `docker://${stage.upstream.host}/${MANY}`, `docker://${to}`]);
  for (const prefix of ['cosign', 'other']) await cosign(folder, ['generate-key-pair', '--output-key-prefix', prefix]);
  const locks = async (key: string): Promise<{ status: number; key: string | undefined }> => {
    const spec = {
      apiVersion: 'eck-airgap/v1',
      kind: 'BundleSpec',
      metadata: { name: 'site-alpha' },
      images: [`${ORIGIN}/${MANY}`],
      mirrors: { [ORIGIN]: registry.url },
      signatures: { [ORIGIN]: { key } },
    };
    await writeFile(join(folder, 'airgap.yaml'), JSON.stringify(spec));
    const { status, stdout } = await airgap(folder, ['lock', 'airgap.yaml', '--json'], { mayFail: true });
    return { status, key: /"by":\s*"cosign",\s*"key":\s*"([^"]+)"/.exec(stdout)?.[1] };
  };
  return { folder, name: `${to}@${stage.digests[MANY] ?? ''}`, locks };
}

/** Keys without a passphrase; nothing of the user is read. */
async function cosign(folder: string, args: readonly string[]): Promise<void> {
  await run(cosignPath, args, { cwd: folder, env: { HOME: folder, COSIGN_PASSWORD: '' } });
}

/** Runs a script in a new folder, stopping at the first command that fails; answers what it printed. */
async function shell(stage: Stage, script: string, args: readonly string[]): Promise<string> {
  const cwd = await scratchFolder(stage, 'shell-');
  await writeFile(join(cwd, 'script'), script);
  return output('bash', ['-e', '-o', 'pipefail', 'script', ...args], { cwd });
}

async function opened(folder: string, passphrase: string): Promise<string> {
  const args = ['pkey', '-in', join(folder, 'keys', 'airgap.key'), '-passin', 'env:PASSPHRASE', '-pubout'];
  return (await run('openssl', args, { env: { PASSPHRASE: passphrase }, mayFail: true })).stdout;
}
