// A private key as a file: who else can read it, whether it is encrypted, and by what. Who may sign is not decided here.
import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { AirgapError, fileError } from '../core/errors.ts';
import { isEncrypted, parsePrivateKey, type PrivateKey } from '../signing/private-key.ts';
import type { CommandContext } from './command.ts';
import { readText } from './flags.ts';
import { existingPassphrase } from './passphrase.ts';

/** What all but the owner may do. */
const OTHERS = 0o077;

export function withReadableKeyFlag(command: Command): Command {
  return command.option(
    '--allow-readable-key',
    'use a private key that others than its owner can read (for file systems without modes)',
  );
}

/** @throws KEY_EXPOSED, KEY_INVALID, PASSPHRASE_REQUIRED, PASSPHRASE_WRONG, FILE_NOT_FOUND, IO_FAILED */
export async function openPrivateKey(context: CommandContext, path: string): Promise<PrivateKey> {
  await requireUnexposed(context, path);
  const pem = await readText(context, path, 'KEY_INVALID');
  const passphrase = isEncrypted(pem) ? await existingPassphrase(context, path) : undefined;
  const key = parsePrivateKey(pem, { where: path, passphrase });
  if (key.weakness !== undefined)
    context.output.warn(
      `${path} ${key.weakness}: whoever gets the file can try passphrases fast. Mend it with "eck-airgap keygen --change-passphrase ${path}".`,
    );
  return key;
}

/**
 * As ssh does it: a key of one's own that others can read is refused. That of somebody else (a secret that is mounted) is
 * used with a warning, since its modes are not ours to change. Windows has no modes.
 */
async function requireUnexposed(context: CommandContext, path: string): Promise<void> {
  const { uid } = context.io;
  const found = await stat(path).catch((error: unknown) => {
    throw fileError(error, 'read', path);
  });
  if (uid === undefined || !found.isFile() || (found.mode & OTHERS) === 0) return;
  const message = `others than its owner have rights on the private key ${path} (mode ${(found.mode & 0o777).toString(8)})`;
  if (found.uid !== uid || context.flags['allowReadableKey'] === true) {
    context.output.warn(message);
    return;
  }
  throw new AirgapError('KEY_EXPOSED', message, {
    hint: `Run "chmod 600 ${path}"; where the file system has no modes, pass --allow-readable-key.`,
    details: { file: path, mode: (found.mode & 0o777).toString(8) },
  });
}
