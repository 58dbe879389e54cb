// A home folder with credentials files, and a PATH with credential helpers, for one test.
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CredentialSource } from '../../src/registry/credential.ts';
import { credentialSource, type CredentialSourceOptions } from '../../src/registry/credentials.ts';

export class CredentialHome {
  readonly folder: string;
  /** For a test to add to. Nothing of the machine's own environment is in it. */
  readonly env: Record<string, string>;

  constructor(folder: string) {
    this.folder = folder;
    this.env = { PATH: [join(folder, 'bin'), dirname(process.execPath)].join(delimiter) };
  }

  source(options: Partial<CredentialSourceOptions> = {}): CredentialSource {
    return credentialSource({ env: this.env, homeDir: this.folder, ...options });
  }

  /** Writes a file below the home folder, as it is or as JSON, and answers its path. */
  async write(path: string, content: unknown): Promise<string> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  }

  docker(config: unknown): Promise<string> {
    return this.write('.docker/config.json', config);
  }

  /** A credential helper: a script with the Node that runs the tests. Answers the calls it got, "arguments input" each. */
  async helper(name: string, body: string): Promise<() => Promise<string[]>> {
    const calls = join(this.folder, `${name}.calls`);
    const note = `require('fs').appendFileSync(${JSON.stringify(calls)}, process.argv.slice(2).join(' ') + ' ' + server + '\\n');`;
    await this.program(
      name,
      `#!/usr/bin/env node\nconst server = require('fs').readFileSync(0, 'utf8');\n${note}\n${body}`,
    );
    return async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(Boolean);
  }

  /** A credential helper that is this script. */
  async program(name: string, script: string): Promise<void> {
    await chmod(await this.write(`bin/docker-credential-${name}`, script), 0o755);
  }
}

/** One that is removed when the test ends. */
export async function credentialHome(): Promise<CredentialHome> {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return new CredentialHome(folder);
}

export const basic = (username: string, password = 'pw') => ({ kind: 'basic' as const, username, password });

/** What `docker login` writes for an account. */
export const entry = (username: string, password = 'pw') => ({
  auth: Buffer.from(`${username}:${password}`).toString('base64'),
});
