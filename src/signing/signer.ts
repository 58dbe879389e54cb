// Who signs: a private key in this process, or an external program (HSM, smart card) that gets the bytes on stdin and
// answers the signature. Either way the answer is checked with the public key before it is used.
import { startProgram, type ChildOptions, type Environment } from '../core/child-process.ts';
import { AirgapError } from '../core/errors.ts';
import type { PrivateKey } from './private-key.ts';
import type { PublicKey } from './public-key.ts';
import { signBytes, verifySignature } from './signature.ts';

export interface Signer {
  readonly publicKey: PublicKey;
  /** Canonical base64 in one line, without a newline. @throws SIGNER_FAILED */
  sign(bytes: Uint8Array, signal?: AbortSignal): Promise<string>;
}

export function keySigner(key: PrivateKey): Signer {
  const { publicKey } = key;
  return {
    publicKey,
    sign: async (bytes) =>
      checked(publicKey, bytes, signBytes(key.keyObject, publicKey.algorithm, bytes).toString('base64')),
  };
}

/** Neither a signature nor a complaint is longer. */
const OUTPUT_LIMIT = 16 * 1024;

export interface CommandSignerOptions {
  /** Of this program. The signer gets it without our own secrets. */
  readonly env: Environment;
}

/**
 * @param argv program and arguments; no shell is involved
 * The program may answer base64 or the raw signature.
 */
export function commandSigner(argv: readonly string[], publicKey: PublicKey, { env }: CommandSignerOptions): Signer {
  return {
    publicKey,
    sign: async (bytes, signal) => {
      const output = await runSigner(argv, bytes, { env, signal });
      const text = output.toString('latin1').trim();
      const base64 = /^[A-Za-z0-9+/=\s]+$/.test(text) ? text.replace(/\s/g, '') : output.toString('base64');
      return checked(publicKey, bytes, base64);
    },
  };
}

function checked(publicKey: PublicKey, bytes: Uint8Array, signature: string): string {
  if (verifySignature(publicKey, bytes, signature)) return signature;
  throw new AirgapError('SIGNER_FAILED', `the signer's answer is no signature by the key ${publicKey.fingerprint}`, {
    hint: 'Check that the public key belongs to the key that the signer uses.',
  });
}

async function runSigner(argv: readonly string[], bytes: Uint8Array, options: ChildOptions): Promise<Buffer> {
  const [program = '', ...args] = argv;
  const { signal } = options;
  const child = startProgram(program, args, options);
  const failed = (why: string, cause?: unknown): AirgapError =>
    new AirgapError('SIGNER_FAILED', `the signer ${program} ${why}`, { cause });
  const status = new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => {
      if (signal?.aborted) reject(signal.reason as Error);
      else reject(failed(`cannot be started: ${error.message}`, error));
    });
    child.on('close', resolve);
  });
  child.stdin.on('error', () => undefined); // a signer that does not read its input says so by its status
  child.stdin.end(bytes);
  const gather = async (stream: NodeJS.ReadableStream): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of stream) {
      size += (chunk as Buffer).byteLength;
      if (size <= OUTPUT_LIMIT) chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  };
  const [output, complaint, code] = await Promise.all([gather(child.stdout), gather(child.stderr), status]);
  if (code !== 0)
    throw failed(`ended with status ${code ?? 'none'}: ${complaint.toString('utf8').trim().split('\n')[0] ?? ''}`);
  return output;
}
