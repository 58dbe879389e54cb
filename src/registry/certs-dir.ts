// Certificates by host, in the layout of Docker and podman (certs.d, containers-certs.d(5)): in a folder named as the host
// is contacted, `host` or `host:port`, lie `*.crt` (authorities to trust) and pairs `NAME.cert` and `NAME.key` (to prove who
// we are, where the server asks). What is there for one host is used for no other.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AirgapError, fileError, systemErrorCode } from '../core/errors.ts';
import { readNamedText } from '../core/named-file.ts';
import type { HostCertificates } from './tls.ts';

/** Bytes. */
const FILE_LIMIT = 16 * 1024 * 1024;

/** Answers what is there for the host that a URL is really fetched from; undefined for nothing. */
export type CertificateSource = (url: URL) => Promise<HostCertificates | undefined>;

/**
 * Looks in the first of `folders` that has one for the host. The source throws TLS_FAILED for half of a pair, and IO_FAILED
 * for what is there and cannot be read.
 */
export function certificateSource(folders: readonly string[]): CertificateSource {
  return async (url) => {
    for (const folder of folders) {
      for (const name of folderNames(url)) {
        const found = await readFolder(join(folder, name));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
}

/** As the host is written in references: without the port that goes without saying, or with it. */
function folderNames({ hostname, port, protocol }: URL): string[] {
  if (protocol !== 'https:') return [];
  return port === '' ? [hostname, `${hostname}:443`] : [`${hostname}:${port}`];
}

async function readFolder(folder: string): Promise<HostCertificates | undefined> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw fileError(error, 'read', folder);
  }
  const read = (name: string): Promise<string> =>
    readNamedText(join(folder, name), { limit: FILE_LIMIT }, 'TLS_FAILED');
  const ca = await Promise.all(
    names
      .filter((name) => name.endsWith('.crt'))
      .map(async (name) => ({ pem: await read(name), where: join(folder, name) })),
  );
  const client = await Promise.all(
    pairs(names, folder).map(async ({ cert, key }) => ({
      cert: await read(cert),
      key: await read(key),
      where: join(folder, cert),
    })),
  );
  return { ca, client };
}

function pairs(names: readonly string[], folder: string): { cert: string; key: string }[] {
  const stems = names.filter((name) => /\.(?:cert|key)$/.test(name)).map((name) => name.replace(/\.(?:cert|key)$/, ''));
  return [...new Set(stems)].map((stem) => {
    const pair = { cert: `${stem}.cert`, key: `${stem}.key` };
    const missing = Object.values(pair).find((name) => !names.includes(name));
    if (missing === undefined) return pair;
    throw new AirgapError('TLS_FAILED', `${join(folder, missing)} is missing: a client certificate is a pair`, {
      hint: 'Put NAME.cert and NAME.key beside each other. An authority to trust is a file whose name ends in .crt.',
    });
  });
}
