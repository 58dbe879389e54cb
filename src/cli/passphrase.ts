// Where a passphrase comes from: a file, the environment, or a prompt; never an argument.
import { AirgapError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { pathOf, readText, stringFlag } from './flags.ts';
import { ask, isTerminal } from './prompt.ts';

const HINT = 'Set ECK_AIRGAP_PASSPHRASE, pass --passphrase-file, or run this in a terminal.';

/** A passphrase that was given without asking. */
async function givenPassphrase(context: CommandContext): Promise<string | undefined> {
  const file = stringFlag(context, 'passphraseFile');
  if (file !== undefined) return (await readText(pathOf(context, file))).replace(/\r?\n$/, '');
  return context.io.env['ECK_AIRGAP_PASSPHRASE'] || undefined;
}

/** The passphrase of a key that is there. @throws PASSPHRASE_REQUIRED where nobody can be asked */
export async function existingPassphrase(context: CommandContext, keyFile: string): Promise<string> {
  const given = await givenPassphrase(context);
  if (given !== undefined) return given;
  requireTerminal(context, `${keyFile} is encrypted and no passphrase was given`);
  return askPassphrase(context, `Passphrase of ${keyFile}:`);
}

/** A passphrase for a new key, asked for twice. @throws PASSPHRASE_REQUIRED */
export async function newPassphrase(context: CommandContext): Promise<string> {
  const given = await givenPassphrase(context);
  const passphrase = given ?? (await askTwice(context));
  if (passphrase.length > 0) return passphrase;
  throw new AirgapError('PASSPHRASE_REQUIRED', 'the passphrase is empty', {
    hint: 'Choose one, or ask for an unencrypted key with --no-passphrase.',
  });
}

async function askTwice(context: CommandContext): Promise<string> {
  requireTerminal(context, 'a new key is encrypted and no passphrase was given');
  const first = await askPassphrase(context, 'Passphrase for the new key:');
  if (first === (await askPassphrase(context, 'The same again:'))) return first;
  throw new AirgapError('PASSPHRASE_WRONG', 'the two passphrases differ', { hint: 'Run the command again.' });
}

function requireTerminal(context: CommandContext, why: string): void {
  if (!isTerminal(context))
    throw new AirgapError('PASSPHRASE_REQUIRED', why, { hint: `${HINT} For a new key without one: --no-passphrase.` });
}

async function askPassphrase(context: CommandContext, message: string): Promise<string> {
  return String(await ask(context, { type: 'password', message, mask: '*' }));
}
