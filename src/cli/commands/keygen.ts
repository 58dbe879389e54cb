import { join } from 'node:path';
import { AirgapError } from '../../core/errors.ts';
import { ensureFolder, isThere, writeWholeFile } from '../../core/files.ts';
import { fingerprintGroups } from '../../signing/fingerprint.ts';
import { generateKeyPair } from '../../signing/private-key.ts';
import { trustCard } from '../../signing/trust-card.ts';
import type { CommandModule } from '../command.ts';
import { pathOf, stringFlag } from '../flags.ts';
import { newPassphrase } from '../passphrase.ts';

export const keygenCommand: CommandModule = {
  name: 'keygen',
  summary: 'Make a signing key pair, and the trust card to carry separately.',
  define: (command) =>
    command
      .option('--out <dir>', 'folder for airgap.key, airgap.pub and trust-card.txt', '.')
      .option('--no-passphrase', 'leave the private key unencrypted')
      .option('--passphrase-file <file>', 'read the passphrase from a file (also: ECK_AIRGAP_PASSPHRASE)')
      .addHelpText('after', '\nExample:\n  eck-airgap keygen --out keys\n'),
  run: async (context) => {
    const folder = pathOf(context, stringFlag(context, 'out') ?? '.');
    const paths = {
      key: join(folder, 'airgap.key'),
      publicKey: join(folder, 'airgap.pub'),
      trustCard: join(folder, 'trust-card.txt'),
    };
    for (const path of Object.values(paths)) await refuseExisting(path);
    const pair = generateKeyPair(
      context.flags['passphrase'] === false ? {} : { passphrase: await newPassphrase(context) },
    );
    await ensureFolder(folder);
    await writeWholeFile(paths.key, Buffer.from(pair.privatePem), { mode: 0o600 });
    await writeWholeFile(paths.publicKey, Buffer.from(pair.publicPem));
    await writeWholeFile(paths.trustCard, Buffer.from(trustCard(pair.publicKey)));
    const { fingerprint } = pair.publicKey;
    context.output.result({ ...paths, fingerprint, algorithm: pair.publicKey.algorithm }, [
      `${paths.key}  private key: keep it on the connected side`,
      `${paths.publicKey}  public key`,
      `${paths.trustCard}  carry this to the enclave separately from the media`,
      `fingerprint ${fingerprintGroups(fingerprint).join(' ')}`,
    ]);
  },
};

/** A key is never overwritten: bundles signed with it would become unverifiable. */
async function refuseExisting(path: string): Promise<void> {
  if (await isThere(path))
    throw new AirgapError('FILE_EXISTS', `${path} is already there; a key is never overwritten`, {
      hint: 'Name another folder with --out.',
    });
}
