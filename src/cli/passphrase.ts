// Where a passphrase comes from: a file, the environment, or a prompt; never an argument, which others can see.
import { AirgapError } from '../core/errors.ts';
import { onlyLine } from '../core/text.ts';
import type { CommandContext } from './command.ts';
import { pathOf, readText, stringFlag } from './flags.ts';
import { ask, isTerminal } from './prompt.ts';

/**
 * Characters that a new passphrase should have. Who has the file can try about ten thousand a second on a graphics card (see
 * encrypted-key.ts): twelve random lower-case letters, 56 bits, hold a thousand cards up for more than a century.
 */
export const GOOD_PASSPHRASE = 12;
/** Characters that one from a file or the environment must have: those are made by rules that this program does not know. */
const MIN_PASSPHRASE = 6;

/** How a passphrase can be given without a prompt. */
export interface PassphraseSource {
  /** The option that names a file. */
  readonly option: string;
  /** The option's key among the flags. */
  readonly flag: string;
  readonly variable: string;
}

/** Of the key that a command uses or makes. */
const OWN: PassphraseSource = {
  option: '--passphrase-file',
  flag: 'passphraseFile',
  variable: 'ECK_AIRGAP_PASSPHRASE',
};
/** Where the passphrase of a key changes. */
export const REPLACEMENT: PassphraseSource = {
  option: '--new-passphrase-file',
  flag: 'newPassphraseFile',
  variable: 'ECK_AIRGAP_NEW_PASSPHRASE',
};

async function givenPassphrase(context: CommandContext, source: PassphraseSource): Promise<string | undefined> {
  const file = stringFlag(context, source.flag);
  if (file !== undefined) return passphraseIn(await readText(context, pathOf(context, file)), file);
  return context.io.env[source.variable] || undefined;
}

function passphraseIn(text: string, file: string): string {
  const passphrase = onlyLine(text);
  if (passphrase !== undefined) return passphrase;
  throw new AirgapError('CONFIG_INVALID', `${file} holds more than one line, and a passphrase is one`, {
    hint: 'Leave nothing but the passphrase in the file; empty lines after it do no harm.',
  });
}

/** The passphrase of a key that is there. @throws PASSPHRASE_REQUIRED where nobody can be asked */
export async function existingPassphrase(context: CommandContext, keyFile: string): Promise<string> {
  const given = await givenPassphrase(context, OWN);
  if (given !== undefined) return given;
  requireTerminal(context, `${keyFile} is encrypted and no passphrase was given`, waysOf(OWN));
  return askPassphrase(context, `Passphrase of ${keyFile}:`);
}

/** A passphrase to encrypt a key with, asked for twice. @throws PASSPHRASE_REQUIRED, PASSPHRASE_WEAK, PASSPHRASE_WRONG */
export async function newPassphrase(context: CommandContext, source: PassphraseSource = OWN): Promise<string> {
  const passphrase = await givenPassphrase(context, source);
  if (passphrase === undefined) return askTwice(context, source);
  const length = lengthOf(passphrase);
  if (length < MIN_PASSPHRASE) throw tooShort(length);
  if (length < GOOD_PASSPHRASE)
    context.output.warn(
      `the new passphrase has ${length} characters, which whoever gets the key file may try through; choose ${GOOD_PASSPHRASE} or more`,
    );
  return passphrase;
}

function tooShort(length: number): AirgapError {
  return new AirgapError(
    'PASSPHRASE_WEAK',
    length === 0 ? 'the new passphrase is empty' : `the new passphrase is shorter than ${MIN_PASSPHRASE} characters`,
    { hint: `Choose at least ${GOOD_PASSPHRASE} characters, four random words for example. ${WITHOUT}` },
  );
}

const WITHOUT = 'For an unencrypted key: --no-passphrase.';

function waysOf({ option, variable }: PassphraseSource): string {
  return `Set ${variable}, pass ${option}, or run this in a terminal.`;
}

async function askTwice(context: CommandContext, source: PassphraseSource): Promise<string> {
  const hint = `${waysOf(source)} ${WITHOUT}`;
  requireTerminal(context, 'a key is to be encrypted and no new passphrase was given', hint);
  const message = `New passphrase (at least ${GOOD_PASSPHRASE} characters):`;
  const validate = (text: string): true | string =>
    lengthOf(text) >= GOOD_PASSPHRASE || `It is shorter than ${GOOD_PASSPHRASE} characters.`;
  const first = String(await ask(context, { type: 'password', message, mask: '*', validate }));
  if (first === (await askPassphrase(context, 'The same again:'))) return first;
  throw new AirgapError('PASSPHRASE_WRONG', 'the two passphrases differ', { hint: 'Run the command again.' });
}

function lengthOf(passphrase: string): number {
  return Array.from(passphrase).length;
}

function requireTerminal(context: CommandContext, why: string, hint: string): void {
  if (!isTerminal(context)) throw new AirgapError('PASSPHRASE_REQUIRED', why, { hint });
}

async function askPassphrase(context: CommandContext, message: string): Promise<string> {
  return String(await ask(context, { type: 'password', message, mask: '*' }));
}
