// Docker's credential helpers: programs docker-credential-<name>, asked `get` with a server on standard input. The name
// comes from a credentials file and is checked before it becomes part of a command; no shell is involved.
import * as v from 'valibot';
import { startProgram, type Environment } from '../core/child-process.ts';
import { AirgapError, systemErrorCode } from '../core/errors.ts';
import type { Credential } from './credential.ts';

/** A helper that says more is no helper. Bytes. */
const OUTPUT_LIMIT = 64 * 1024;
/** Some helpers ask the person at the screen. */
const PATIENCE_MS = 120_000;

const HELPER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const AnswerSchema = v.object({ Username: v.string(), Secret: v.string() });

export interface HelperResult {
  /** Exit status; null when it was ended by a signal. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program found on the PATH; rejects when it cannot be started or says more than a helper may. */
export type RunProgram = (
  file: string,
  args: readonly string[],
  stdin: string,
  signal: AbortSignal,
) => Promise<HelperResult>;

/**
 * Asks a helper for the credential of a host; undefined when it has none.
 * @throws CREDENTIALS_INVALID, which quotes nothing of what the helper said
 */
export async function askHelper(name: string, host: string, run: RunProgram): Promise<Credential | undefined> {
  if (!HELPER_NAME.test(name)) {
    throw new AirgapError(
      'CREDENTIALS_INVALID',
      `${JSON.stringify(name.slice(0, 100))} is not the name of a credential helper`,
    );
  }
  const program = `docker-credential-${name}`;
  const server = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
  let result: HelperResult;
  try {
    result = await run(program, ['get'], server, AbortSignal.timeout(PATIENCE_MS));
  } catch (error) {
    throw failed(program, host, whyNot(error));
  }
  if (result.status === 0) {
    const malformed = (): AirgapError => failed(program, host, 'answered something that is not a credential');
    const credential = credentialOf(result.stdout, malformed);
    return credential && { ...credential, from: program };
  }
  // helpers print their errors to either; this sentence is the protocol's way to say "none"
  if (/credentials not found/i.test(result.stdout + result.stderr)) return undefined;
  throw failed(program, host, `failed (${result.status === null ? 'killed' : `exit status ${result.status}`})`);
}

/** Runs programs with this environment, but for our own secrets; its PATH is searched. */
export function programRunner(env: Environment): RunProgram {
  return (file, args, stdin, signal) =>
    new Promise((resolve, reject) => {
      const child = startProgram(file, args, { env, signal, killSignal: 'SIGKILL' });
      const output = { stdout: '', stderr: '' };
      const keep = (stream: keyof typeof output) => (chunk: string) => {
        output[stream] += chunk;
        if (output[stream].length > OUTPUT_LIMIT) {
          reject(new OutputTooLong());
          child.kill('SIGKILL');
        }
      };
      child.stdout.setEncoding('utf8').on('data', keep('stdout'));
      child.stderr.setEncoding('utf8').on('data', keep('stderr'));
      child.on('error', reject).on('close', (status) => resolve({ status, ...output }));
      child.stdin.on('error', () => undefined).end(stdin); // one that does not read its input closes the pipe
    });
}

class OutputTooLong extends Error {}

function credentialOf(stdout: string, malformed: () => AirgapError): Credential | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw malformed();
  }
  const result = v.safeParse(AnswerSchema, answer);
  if (!result.success) throw malformed();
  const { Username: username, Secret: secret } = result.output;
  if (secret === '') return undefined;
  return username === '<token>'
    ? { kind: 'identity-token', token: secret }
    : { kind: 'basic', username, password: secret };
}

function whyNot(error: unknown): string {
  if (error instanceof OutputTooLong) return `answered more than ${OUTPUT_LIMIT} bytes`;
  const code = systemErrorCode(error);
  if (code === 'ABORT_ERR') return `did not answer within ${PATIENCE_MS / 1000} s`;
  return code === 'ENOENT' ? 'is not on the PATH' : `cannot be run (${code ?? 'unknown error'})`;
}

function failed(program: string, host: string, why: string): AirgapError {
  return new AirgapError('CREDENTIALS_INVALID', `${program}, asked for ${host}, ${why}`, {
    hint: `Run "${program} get" by hand and type ${host} to see what it says, or name a credentials file without it by --authfile.`,
  });
}
