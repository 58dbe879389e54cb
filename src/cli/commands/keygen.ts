import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError, fileError } from '../../core/errors.ts';
import { ensureFolder, isThere, writeWholeFile } from '../../core/files.ts';
import { fingerprintGroups } from '../../signing/fingerprint.ts';
import { generateKeyPair, privateKeyPem } from '../../signing/private-key.ts';
import { parsePublicKey, type PublicKey } from '../../signing/public-key.ts';
import { trustCard } from '../../signing/trust-card.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { pathOf, readText, stringFlag } from '../flags.ts';
import { newPassphrase, REPLACEMENT, type PassphraseSource } from '../passphrase.ts';
import { openPrivateKey, withReadableKeyFlag } from '../private-key-file.ts';

export const keygenCommand: CommandModule = {
  name: 'keygen',
  summary: 'Make a signing key pair, and the trust card to carry separately.',
  define: (command) =>
    withReadableKeyFlag(
      command
        .option('--out <dir>', 'folder for airgap.key, airgap.pub and trust-card.txt', '.')
        .option('--no-passphrase', 'leave the private key unencrypted')
        .option('--passphrase-file <file>', 'read the passphrase from a file (also: ECK_AIRGAP_PASSPHRASE)')
        .option(
          '--change-passphrase <key>',
          'encrypt a private key that is there with another passphrase, in its place',
        )
        .option(
          '--new-passphrase-file <file>',
          'with --change-passphrase: read the new one from a file (also: ECK_AIRGAP_NEW_PASSPHRASE)',
        )
        .option('--card <key>', 'print the trust card of a key that is there: airgap.pub, or airgap.key'),
    ).addHelpText(
      'after',
      '\nExamples:\n  eck-airgap keygen --out keys\n  eck-airgap keygen --change-passphrase keys/airgap.key\n  eck-airgap keygen --card keys/airgap.pub\n',
    ),
  run: async (context) => {
    const [change, card] = ['changePassphrase', 'card'].map((name) => stringFlag(context, name));
    if (change !== undefined && card !== undefined)
      throw new AirgapError('USAGE', '--change-passphrase and --card are two commands', {
        hint: 'Run one, then the other.',
      });
    if (change !== undefined) return changePassphrase(context, pathOf(context, change));
    if (card !== undefined) return printCard(context, pathOf(context, card));
    return makeKeys(context, pathOf(context, stringFlag(context, 'out') ?? '.'));
  },
};

async function makeKeys(context: CommandContext, folder: string): Promise<void> {
  const paths = {
    key: join(folder, 'airgap.key'),
    publicKey: join(folder, 'airgap.pub'),
    trustCard: join(folder, 'trust-card.txt'),
  };
  for (const path of Object.values(paths)) await refuseExisting(path);
  const pair = generateKeyPair({ passphrase: await wantedPassphrase(context) });
  await ensureFolder(folder);
  await writeWholeFile(paths.key, Buffer.from(pair.privatePem), { mode: 0o600, isNew: true });
  await writeWholeFile(paths.publicKey, Buffer.from(pair.publicPem), { isNew: true });
  await writeWholeFile(paths.trustCard, Buffer.from(trustCard(pair.publicKey)), { isNew: true });
  context.output.result({ kind: 'KeygenResult', ...paths, ...identityOf(pair.publicKey) }, [
    `${paths.key}  private key: keep it on the connected side`,
    `${paths.publicKey}  public key`,
    `${paths.trustCard}  carry this to the enclave separately from the media`,
    fingerprintLine(pair.publicKey),
  ]);
}

/** A link is followed: the file that it leads to is replaced, whole. */
async function changePassphrase(context: CommandContext, path: string): Promise<void> {
  const { keyObject, publicKey } = await openPrivateKey(context, path);
  const passphrase = await wantedPassphrase(context, REPLACEMENT);
  const file = await realpath(path).catch((error: unknown) => {
    throw fileError(error, 'read', path);
  });
  await writeWholeFile(file, Buffer.from(privateKeyPem(keyObject, passphrase)), { mode: 0o600 });
  const how = passphrase === undefined ? 'is no longer encrypted' : 'has the new passphrase';
  context.output.result(
    { kind: 'PassphraseResult', key: path, encrypted: passphrase !== undefined, ...identityOf(publicKey) },
    [
      `${path} ${how}; the key, and with it the trust card, is the same`,
      'copies of the old file still open with the old passphrase: delete them',
      fingerprintLine(publicKey),
    ],
  );
}

async function printCard(context: CommandContext, path: string): Promise<void> {
  const text = await readText(context, path, 'KEY_INVALID');
  const isPrivate = text.includes('PRIVATE KEY-----');
  const publicKey = isPrivate ? (await openPrivateKey(context, path)).publicKey : parsePublicKey(text, path);
  const card = trustCard(publicKey);
  context.output.result({ kind: 'TrustCard', card, ...identityOf(publicKey) }, card.trimEnd().split('\n'));
}

/** None where it is refused. */
async function wantedPassphrase(context: CommandContext, source?: PassphraseSource): Promise<string | undefined> {
  return context.flags['passphrase'] === false ? undefined : newPassphrase(context, source);
}

function identityOf({ fingerprint, algorithm }: PublicKey): Pick<PublicKey, 'fingerprint' | 'algorithm'> {
  return { fingerprint, algorithm };
}

function fingerprintLine({ fingerprint }: PublicKey): string {
  return `fingerprint ${fingerprintGroups(fingerprint).join(' ')}`;
}

/** A key is never overwritten: bundles signed with it would become unverifiable. */
async function refuseExisting(path: string): Promise<void> {
  if (await isThere(path))
    throw new AirgapError('FILE_EXISTS', `${path} is already there; a key is never overwritten`, {
      hint: 'Name another folder with --out.',
    });
}
