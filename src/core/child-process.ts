// Programs that this one starts: signers and credential helpers. They get the environment without the secrets that are
// meant for this program alone. No other module starts a process.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of this program that hold a secret. */
export const SECRET_VARIABLES: readonly string[] = ['ECK_AIRGAP_PASSPHRASE', 'ECK_AIRGAP_NEW_PASSPHRASE'];

export interface ChildOptions {
  /** Of this program; its PATH is searched. */
  readonly env: Environment;
  /** Ends the child. */
  readonly signal?: AbortSignal | undefined;
  readonly killSignal?: NodeJS.Signals | undefined;
}

/** Starts a program without a shell, its three streams piped. */
export function startProgram(
  file: string,
  args: readonly string[],
  { env, signal, killSignal }: ChildOptions,
): ChildProcessWithoutNullStreams {
  return spawn(file, args, { env: withoutSecrets(env), signal, killSignal, windowsHide: true });
}

/** Windows does not tell upper from lower case in the names of variables. */
function withoutSecrets(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRET_VARIABLES.includes(name.toUpperCase())));
}
