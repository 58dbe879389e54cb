// Flag groups that several commands share: each declares itself, and turns what was typed into what a library takes.
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { parseSequence } from '../bundle/freshness.ts';
import { AirgapError, fileError, type ErrorCode } from '../core/errors.ts';
import { readNamedText } from '../core/named-file.ts';
import { collect } from '../core/streams.ts';
import { onlyLine, requireText } from '../core/text.ts';
import { certificateSource } from '../registry/certs-dir.ts';
import type { Credential } from '../registry/credential.ts';
import { credentialSource } from '../registry/credentials.ts';
import { proxySettings } from '../registry/proxy.ts';
import type { RegistryOptions } from '../registry/registry.ts';
import { parsePublicKey, type PublicKey } from '../signing/public-key.ts';
import type { CommandContext } from './command.ts';
import { VERSION } from './version.ts';

const SECRET_LIMIT = 1024 * 1024;
/** Bytes of a file that is read whole: a lock is the largest. */
const FILE_LIMIT = 64 * 1024 * 1024;

export function stringFlag(context: CommandContext, name: string): string | undefined {
  const value = context.flags[name];
  return typeof value === 'string' ? value : undefined;
}

export function listFlag(context: CommandContext, name: string): readonly string[] {
  const value = context.flags[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export function numberFlag(context: CommandContext, name: string): number | undefined {
  const value = context.flags[name];
  return typeof value === 'number' ? value : undefined;
}

/** For options that may be given several times. */
export function repeatable(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** For options that take a whole number of at least `least`. */
export function wholeNumber(least: number, most = 999_999_999): (value: string) => number {
  return (value) => {
    if (/^[0-9]{1,9}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw new InvalidArgumentError(`It takes a whole number from ${least} to ${most}.`);
  };
}

/** For --sequence. */
export function sequenceNumber(value: string): number {
  const sequence = parseSequence(value);
  if (sequence === undefined)
    throw new InvalidArgumentError(`It takes a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  return sequence;
}

/** A path as typed, from the folder the command runs in. */
export function pathOf(context: CommandContext, path: string): string {
  return resolve(context.io.cwd, path);
}

/**
 * Reads a text file that was named on the command line, or in a file that was.
 * @param code what it is when it is too large or no text
 * @throws `code`, PATH_INVALID, FILE_NOT_FOUND, IO_FAILED
 */
export function readText(context: CommandContext, path: string, code?: ErrorCode): Promise<string> {
  return readNamedText(path, { limit: FILE_LIMIT, signal: context.io.signal }, code);
}

export function withRegistryFlags(command: Command): Command {
  return command
    .option('--ca-file <file>', 'certificate authorities (PEM) to trust beside the usual ones (also: SSL_CERT_FILE)')
    .option(
      '--authfile <file>',
      'credentials, in the format of Docker and podman (also: REGISTRY_AUTH_FILE, DOCKER_CONFIG)',
    )
    .option(
      '--certs-dir <dir>',
      'certificates by host, as in /etc/docker/certs.d: HOST/*.crt to trust, HOST/*.cert with *.key to show (also: ECK_AIRGAP_CERTS_DIR)',
    )
    .option('--plain-http', 'speak HTTP without TLS beyond loopback too')
    .option('--insecure-skip-tls-verify', 'do not check the certificates of registries')
    .option('--retries <n>', 'attempts after the first, for what can be retried', wholeNumber(0));
}

export async function registryOptions(
  context: CommandContext,
  overrides?: Readonly<Record<string, Credential>>,
): Promise<RegistryOptions> {
  const { io, flags } = context;
  const authfile = stringFlag(context, 'authfile');
  const env = authfile === undefined ? io.env : { ...io.env, REGISTRY_AUTH_FILE: pathOf(context, authfile) };
  const caFile = stringFlag(context, 'caFile') ?? (io.env['SSL_CERT_FILE'] || undefined);
  return {
    plainHttp: flags['plainHttp'] === true,
    insecureSkipTlsVerify: flags['insecureSkipTlsVerify'] === true,
    credentials: credentialSource({ env, homeDir: io.homeDir, ...(overrides === undefined ? {} : { overrides }) }),
    userAgent: `eck-airgap/${VERSION}`,
    report: context.output.report,
    certificates: certificateSource(await certificateFolders(context)),
    proxies: proxySettings(io.env),
    ...(caFile === undefined ? {} : { ca: await readText(context, pathOf(context, caFile), 'TLS_FAILED') }),
    ...(numberFlag(context, 'retries') === undefined ? {} : { retries: numberFlag(context, 'retries') ?? 0 }),
  };
}

/** The named folder alone, or those where podman and Docker look. @throws FILE_NOT_FOUND, IO_FAILED */
async function certificateFolders(context: CommandContext): Promise<string[]> {
  const { env, homeDir } = context.io;
  const named = stringFlag(context, 'certsDir') ?? (env['ECK_AIRGAP_CERTS_DIR'] || undefined);
  if (named === undefined) {
    const config = env['XDG_CONFIG_HOME'] || join(homeDir, '.config');
    return [join(config, 'containers', 'certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d'];
  }
  const folder = pathOf(context, named);
  await readdir(folder).catch((error: unknown) => {
    throw fileError(error, 'read', folder);
  });
  return [folder];
}

export function withKeyFlag(command: Command): Command {
  return command.option(
    '--key <file>',
    'public key (airgap.pub) that must have signed the bundle; may be given several times',
    repeatable,
  );
}

/** The trusted keys. @throws KEY_REQUIRED when none is given, KEY_INVALID */
export async function trustedKeys(context: CommandContext, bundle: string): Promise<PublicKey[]> {
  const paths = listFlag(context, 'key').map((path) => pathOf(context, path));
  if (paths.length === 0) {
    throw new AirgapError('KEY_REQUIRED', `${bundle} cannot be trusted: no public key was given`, {
      hint: 'Pass --key airgap.pub, a public key that came another way than the media (see the trust card).',
    });
  }
  const media = pathOf(context, bundle);
  const beside = paths.find(
    (path) => path.startsWith(media + sep) || (/\.tar(?:\.[0-9]+)?$/.test(media) && dirname(path) === dirname(media)),
  );
  if (beside !== undefined) {
    context.output.warn(
      `${beside} lies on the same media as the bundle. A key that travels with what it vouches for proves nothing; compare its fingerprint with the trust card.`,
    );
  }
  return Promise.all(paths.map(async (path) => parsePublicKey(await readText(context, path, 'KEY_INVALID'), path)));
}

/** Reads a secret from standard input, without its end of line. @throws USAGE for several lines, and what is no text */
export async function readStdinSecret(context: CommandContext): Promise<string> {
  const bytes = await collect(context.io.stdin, SECRET_LIMIT);
  const secret = onlyLine(requireText(bytes, 'what standard input holds', 'USAGE'));
  if (secret !== undefined) return secret;
  throw new AirgapError('USAGE', 'standard input holds more than one line, and a password is one', {
    hint: 'Pipe nothing but the password; empty lines after it do no harm.',
  });
}
