// The registry credentials that people already have, in the order in which podman and Docker look for them
// (containers-auth.json(5); docker config.json). This is only where to look: auth-file.ts reads a file,
// credential-helper.ts asks a program.
import { join } from 'node:path';
import { AirgapError } from '../core/errors.ts';
import { SingleFlight } from '../core/pool.ts';
import { canonicalHost } from '../oci/reference.ts';
import { readAuthFile, storedCredential, type AuthFile } from './auth-file.ts';
import { askHelper, programRunner, type RunProgram } from './credential-helper.ts';
import type { Credential, CredentialSource } from './credential.ts';

export interface CredentialSourceOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
  /** Registry host to the credential that was given on the command line; it wins over every file. */
  readonly overrides?: Readonly<Record<string, Credential>> | undefined;
  /** Runs credential helpers; by default as child processes with `env`. */
  readonly run?: RunProgram | undefined;
}

/**
 * Credentials from, first found first: `overrides`, REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json,
 * $XDG_CONFIG_HOME/containers/auth.json (~/.config), $DOCKER_CONFIG/config.json (~/.docker). Each file is read when it is
 * first needed, and once; helpers are asked each time, since what they answer expires. `find` throws
 * CREDENTIALS_INVALID, and FILE_NOT_FOUND when the file that REGISTRY_AUTH_FILE names is not there.
 */
export function credentialSource(options: CredentialSourceOptions): CredentialSource {
  const overrides = new Map(
    Object.entries(options.overrides ?? {}).map(([host, credential]) => [canonicalHost(host), credential]),
  );
  const files = authFiles(options);
  const run = options.run ?? programRunner(options.env);
  const asking = new SingleFlight<string, Credential | undefined>();
  const ask = (name: string, host: string): Promise<Credential | undefined> =>
    asking.run(`${name} ${host}`, () => askHelper(name, host, run));
  return {
    find: async (registryHost, repository) => {
      const host = canonicalHost(registryHost);
      const override = overrides.get(host);
      if (override) return override;
      for (const open of files) {
        const file = await open();
        const credential = file && (await findIn(file, { host, repository, ask }));
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

interface Wanted {
  readonly host: string;
  readonly repository: string | undefined;
  readonly ask: (helper: string, host: string) => Promise<Credential | undefined>;
}

/** A helper named for this host decides alone, as in Docker; the store for all hosts comes after what the file holds. */
async function findIn(file: AuthFile, { host, repository, ask }: Wanted): Promise<Credential | undefined> {
  const helper = file.helpers.get(host);
  if (helper !== undefined) return ask(helper, host);
  return storedCredential(file, host, repository) ?? (file.store === undefined ? undefined : ask(file.store, host));
}

function authFiles({ env, homeDir }: CredentialSourceOptions): (() => Promise<AuthFile | undefined>)[] {
  const named = env['REGISTRY_AUTH_FILE'];
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    ...(named ? [once(() => readNamedFile(named))] : []),
    ...(runtime ? [once(() => readAuthFile(join(runtime, 'containers', 'auth.json')))] : []),
    once(() => readAuthFile(join(env['XDG_CONFIG_HOME'] || join(homeDir, '.config'), 'containers', 'auth.json'))),
    once(() => readAuthFile(join(env['DOCKER_CONFIG'] || join(homeDir, '.docker'), 'config.json'))),
  ];
}

async function readNamedFile(path: string): Promise<AuthFile> {
  const file = await readAuthFile(path);
  if (file) return file;
  throw new AirgapError('FILE_NOT_FOUND', `cannot read ${path}: no such file`, {
    hint: 'It was named as the credentials file, by --authfile or REGISTRY_AUTH_FILE.',
  });
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
