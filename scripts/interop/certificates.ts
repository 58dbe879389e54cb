// A certificate authority of our own, and a certificate of it for localhost and 127.0.0.1; made with OpenSSL.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';

export interface Certificates {
  /** Holds only ca.crt: what skopeo and podman take as --cert-dir. */
  readonly clientFolder: string;
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export async function makeCertificates(folder: string): Promise<Certificates> {
  const clientFolder = join(folder, 'client');
  await mkdir(clientFolder, { recursive: true });
  const made = {
    clientFolder,
    ca: join(clientFolder, 'ca.crt'),
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
  };
  const caKey = join(folder, 'ca.key');
  const request = join(folder, 'server.csr');
  const extensions = join(folder, 'server.ext');
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-x509', '-days', '2', '-subj', '/CN=interop CA', '-addext', 'basicConstraints=critical,CA:TRUE'];
  await run('openssl', ['req', ...newKey, ...authority, '-keyout', caKey, '-out', made.ca]);
  await run('openssl', ['req', ...newKey, '-subj', '/CN=localhost', '-keyout', made.key, '-out', request]);
  await writeFile(extensions, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  const issue = ['-CA', made.ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-in', request, ...issue, '-out', made.certificate]);
  return made;
}
