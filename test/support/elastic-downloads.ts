// The sites that Elastic's files are downloaded from, as one server on loopback: each host is a path of it, to be named as a
// mirror in airgap.yaml. What is where has the shape of the real upstream; a release of GitHub redirects to another host.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { dump } from 'js-yaml';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { chartIndex, type PublishedChart } from './chart.ts';
import { generateOpenPgpKey, type OpenPgpKey } from './openpgp-key.ts';
import { crdsManifest, crdsStandIn, operatorManifest } from './operator-manifests.ts';
import { layerTar } from './random-image.ts';

/** Those with a mirror. */
const HOSTS = ['download.elastic.co', 'helm.elastic.co', 'artifacts.elastic.co', 'github.com'] as const;
/** Where GitHub sends whoever downloads a file of a release. */
const GITHUB_ASSETS = 'release-assets.githubusercontent.com';

export interface ChartArchive {
  readonly name: string;
  readonly version: string;
  readonly bytes: Buffer;
}

export interface ElasticDownloadsOptions {
  /** Releases of ECK; 3.5.0 by default. */
  readonly eck?: readonly string[];
  /** What helm.elastic.co has; nothing by default. */
  readonly charts?: readonly ChartArchive[];
  /** PEM of cosign.pub; a new key by default. */
  readonly cosignKey?: string;
  /** A small crds.yaml even where the real one is at hand. */
  readonly smallCrds?: boolean;
}

export interface DownloadRequest {
  readonly method: string;
  /** As upstream: https://download.elastic.co/… */
  readonly url: string;
  readonly range?: string;
  readonly status: number;
}

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ElasticDownloads {
  /** For airgap.yaml: host to the URL that stands in for it. */
  readonly mirrors: Readonly<Record<string, string>>;
  /** What is served as GPG-KEY-elasticsearch. */
  readonly signingKey: OpenPgpKey;
  /** A catalogue file that pins it. */
  readonly catalogue: string;
  /** Since the last `forget()`. */
  readonly requests: readonly DownloadRequest[];
  forget(): void;
  /** What is at an upstream URL; undefined where nothing is. */
  bytes(url: string): Buffer | undefined;
  /** Puts something there, in place of what was. */
  put(url: string, bytes: Buffer | string): void;
  remove(url: string): void;
  /** Answers so there from now on. */
  refuse(url: string, status: number, headers?: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export async function elasticDownloads(options: ElasticDownloadsOptions = {}): Promise<ElasticDownloads> {
  const signingKey = await generateOpenPgpKey();
  const published = new Map(Object.entries(upstream(options, signingKey)).map(([url, it]) => [url, Buffer.from(it)]));
  const refused = new Map<string, Refusal>();
  const requests: DownloadRequest[] = [];
  const server = createServer((request, response) => {
    const url = upstreamUrl(request);
    const refusal = refused.get(url);
    if (refusal === undefined) answer(request, response, published.get(url));
    else response.writeHead(refusal.status, refusal.headers).end();
    const { method = '', headers } = request;
    const range = headers.range === undefined ? {} : { range: headers.range };
    requests.push({ method, url, ...range, status: response.statusCode });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    mirrors: Object.fromEntries(HOSTS.map((host) => [host, `http://127.0.0.1:${port}/${host}`])),
    signingKey,
    catalogue: dump({
      apiVersion: 'eck-airgap/v1',
      kind: 'Catalogue',
      signingKeys: [{ name: 'GPG-KEY-elasticsearch', fingerprint: signingKey.fingerprint }],
    }),
    requests,
    forget: () => requests.splice(0),
    bytes: (url) => published.get(url),
    put: (url, bytes) => published.set(url, Buffer.from(bytes)),
    remove: (url) => published.delete(url),
    refuse: (url, status, headers = {}) => refused.set(url, { status, headers }),
    close: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

function upstream(options: ElasticDownloadsOptions, { armoured }: OpenPgpKey): Record<string, Buffer | string> {
  const { eck = ['3.5.0'], charts = [], smallCrds = false } = options;
  const { cosignKey = generateKeyPair().publicPem } = options;
  const downloads = 'https://download.elastic.co/downloads/eck';
  return Object.fromEntries<Buffer | string>([
    ...eck.flatMap((version) => [
      [`${downloads}/${version}/crds.yaml`, smallCrds ? crdsStandIn(version) : crdsManifest(version)] as const,
      [`${downloads}/${version}/operator.yaml`, operatorManifest(version)] as const,
    ]),
    ...diagnosticsRelease('1.11.0'),
    ['https://helm.elastic.co/index.yaml', chartIndex('https://helm.elastic.co', charts.map(published))],
    ...charts.map((chart) => [chartUrl(chart), chart.bytes] as const),
    ['https://artifacts.elastic.co/GPG-KEY-elasticsearch', armoured],
    ['https://artifacts.elastic.co/cosign.pub', cosignKey],
  ]);
}

function diagnosticsRelease(version: string): (readonly [string, Buffer | string])[] {
  const base = `https://github.com/elastic/eck-diagnostics/releases/download/${version}`;
  const archives = ['Linux_x86_64', 'Linux_arm64', 'Darwin_arm64', 'Windows_x86_64'].map((build) => {
    const name = `eck-diagnostics_${version}_${build}.tar.gz`;
    return { name, bytes: programArchive(`#!/bin/sh\necho eck-diagnostics ${version} for ${build}\n`) };
  });
  const sums = archives.map(({ name, bytes }) => `${sha256(bytes)}  ${name}\n`).join('');
  return [...archives.map(({ name, bytes }) => [`${base}/${name}`, bytes] as const), [`${base}/checksums.txt`, sums]];
}

function programArchive(text: string): Buffer {
  return gzipSync(layerTar('eck-diagnostics', Buffer.from(text)));
}

function published(chart: ChartArchive): PublishedChart {
  const { name, version, bytes } = chart;
  return { chart: { name, version }, archive: bytes, url: chartUrl(chart) };
}

function chartUrl({ name, version }: ChartArchive): string {
  return `https://helm.elastic.co/helm/${name}/${name}-${version}.tgz`;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function upstreamUrl({ url = '' }: IncomingMessage): string {
  return `https:/${url.replace(/\?.*$/, '')}`.replace(`https://${GITHUB_ASSETS}/`, 'https://github.com/');
}

function answer(request: IncomingMessage, response: ServerResponse, bytes: Buffer | undefined): void {
  const { url = '', headers } = request;
  if (bytes === undefined) {
    response.writeHead(404, { 'content-type': 'text/html' }).end('<html>not found</html>');
  } else if (url.startsWith('/github.com/')) {
    const location = `${url.replace('/github.com/', `/${GITHUB_ASSETS}/`)}?sig=a%2Fb`;
    response.writeHead(302, { location: `http://${headers.host ?? ''}${location}` }).end();
  } else {
    sendBytes(request, response, bytes);
  }
}

function sendBytes({ method, headers }: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
  const [, from] = /^bytes=([0-9]+)-$/.exec(headers.range ?? '') ?? [];
  const start = Number(from ?? 0);
  const { byteLength } = bytes;
  const common = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes', etag: `"${sha256(bytes)}"` };
  if (start > 0 && start >= byteLength) {
    response.writeHead(416, { 'content-range': `bytes */${byteLength}` }).end();
    return;
  }
  const range = from === undefined ? {} : { 'content-range': `bytes ${start}-${byteLength - 1}/${byteLength}` };
  response.writeHead(from === undefined ? 200 : 206, { ...common, ...range, 'content-length': byteLength - start });
  response.end(method === 'HEAD' ? undefined : bytes.subarray(start));
}
