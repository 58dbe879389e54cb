// A containerd of our own: root, state and socket below one folder.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output, startDaemon } from './process.ts';

export interface Containerd {
  /** Standard output of `ctr` against it. @throws Error when it fails */
  ctr(args: readonly string[]): Promise<string>;
  /** Names and digests of the images it has, as `ctr images ls` shows them. */
  images(): Promise<Record<string, string>>;
  stop(): Promise<void>;
}

export async function startContainerd(folder: string): Promise<Containerd> {
  await mkdir(folder, { recursive: true });
  const socket = join(folder, 'socket');
  const config = join(folder, 'config.toml');
  const root = `root = "${join(folder, 'root')}"\nstate = "${join(folder, 'state')}"`;
  const lines = [
    'version = 2',
    root,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\n  address = "${socket}"`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const daemon = startDaemon('containerd', ['--config', config], { logFile: join(folder, 'containerd.log') });
  await daemon.printed(/containerd successfully booted/);
  const ctr: Containerd['ctr'] = (args) => output('ctr', ['--address', socket, ...args]);
  return {
    ctr,
    images: async () => Object.fromEntries(parseTable(await ctr(['images', 'ls']))),
    stop: async () => {
      await daemon.stop();
    },
  };
}

/** Tells `ctr --hosts-dir` to trust a certificate authority for a registry; answers the folder. */
export async function writeHosts(folder: string, host: string, ca: string): Promise<string> {
  const own = join(folder, 'hosts', host);
  await mkdir(own, { recursive: true });
  const lines = [`server = "https://${host}"`, `[host."https://${host}"]`, `  ca = "${ca}"`];
  await writeFile(join(own, 'hosts.toml'), `${lines.join('\n')}\n`);
  return join(folder, 'hosts');
}

/** First and third column below the heading: reference and digest. */
function parseTable(text: string): [string, string][] {
  const rows = text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/\s+/));
  return rows.map(([reference = '', , digest = '']) => [reference, digest]);
}
