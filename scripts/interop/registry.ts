// A real docker-registry on a free port of loopback: with TLS and an account, or plain and open.
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { output, startDaemon } from './process.ts';

export const ACCOUNT = { username: 'alice', password: 's3cret' } as const;

export interface RealRegistry {
  /** Host and port, as it stands in a reference. */
  readonly host: string;
  readonly url: string;
  /** A file of credentials for it, in the format of Docker and podman; empty when it asks for none. */
  readonly authfile: string;
  /** Its access log: one entry for each request so far. */
  requests(): Promise<Request[]>;
  stop(): Promise<void>;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface RealRegistryOptions {
  /** Without them it is plain and asks for no account. */
  readonly certificates?: Certificates | undefined;
  /** Debian's by default. */
  readonly program?: string | undefined;
}

/** Starts a registry that keeps everything below `folder`. */
export async function startRegistry(
  folder: string,
  { certificates, program = 'docker-registry' }: RealRegistryOptions = {},
): Promise<RealRegistry> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify(await configuration(folder, certificates)));
  const daemon = startDaemon(program, ['serve', config], { logFile: join(folder, 'registry.log') });
  const [, port = ''] = await daemon.printed(/listening on 127\.0\.0\.1:([0-9]+)/);
  const host = `${certificates ? 'localhost' : '127.0.0.1'}:${port}`;
  const authfile = join(folder, 'auth.json');
  await writeFile(authfile, JSON.stringify({ auths: certificates ? { [host]: { auth: basicAuth() } } : {} }));
  return {
    host,
    url: `${certificates ? 'https' : 'http'}://${host}`,
    authfile,
    requests: async () => parseAccessLog(await daemon.log()),
    stop: async () => {
      await daemon.stop();
    },
  };
}

/** Writes a password file with the one account, in the bcrypt form that registries take; answers its path. */
export async function writeHtpasswd(folder: string): Promise<string> {
  const path = join(folder, 'htpasswd');
  await writeFile(path, `${await output('htpasswd', ['-Bbn', ACCOUNT.username, ACCOUNT.password])}\n`);
  return path;
}

/** The value of an Authorization header without its scheme, and of `auth` in a file of credentials. */
export function basicAuth(): string {
  return Buffer.from(`${ACCOUNT.username}:${ACCOUNT.password}`).toString('base64');
}

async function configuration(folder: string, certificates: Certificates | undefined): Promise<unknown> {
  const storage = { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: true } };
  const http = { addr: '127.0.0.1:0', secret: randomBytes(16).toString('hex') };
  if (certificates === undefined) return { version: 0.1, storage, http };
  const { certificate, key } = certificates;
  const auth = { htpasswd: { realm: 'interop', path: await writeHtpasswd(folder) } };
  return { version: 0.1, storage, auth, http: { ...http, tls: { certificate, key } } };
}

/** Lines in the Common Log Format among the others. */
function parseAccessLog(log: string): Request[] {
  return [...log.matchAll(/"([A-Z]+) (\S+) HTTP\/[0-9.]+" ([0-9]{3}) /g)].map(([, method = '', path = '', status]) => ({
    method,
    path,
    status: Number(status),
  }));
}
