// The demo: the main job end to end with the real commands, on small but well-formed images under Elastic's names, with no
// network beyond loopback. What it prints is what README shows.
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '../src/registry/server/memory-store.ts';
import { serveRegistry } from '../src/registry/server/server.ts';
import { fillUpstream, SPEC } from './demo/upstream.ts';
import { inScratch } from './scratch.ts';

const CLI = new URL('../src/cli/main.ts', import.meta.url).pathname;

interface Step {
  readonly say: string;
  readonly args: readonly string[];
  /** The exit status the demo expects; 0 by default. */
  readonly status?: number;
}

let folder = '';

function say(text: string): void {
  console.log(`\n\u001b[1m# ${text}\u001b[0m`.replace(/\u001b\[[01]m/g, (code) => (process.stdout.isTTY ? code : '')));
}

/** Runs one real command in the demo's folder and shows it as a person would type it. */
async function command(step: Step): Promise<void> {
  say(step.say);
  console.log(`$ eck-airgap ${step.args.join(' ')}`);
  const child = start(step.args);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const expected = step.status ?? 0;
  if (status !== 0) console.log(`(exit ${status})`);
  if (status !== expected) throw new Error(`expected exit ${expected}, got ${status}`);
}

function start(args: readonly string[]): ChildProcess {
  const env = {
    ...process.env,
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_STATE_HOME: join(folder, 'state'),
    ECK_AIRGAP_PASSPHRASE: 'correct horse battery staple',
  };
  const child = spawn(process.execPath, [CLI, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.on('data', (text: Buffer) => process.stdout.write(indent(text)));
  child.stderr.on('data', (text: Buffer) => process.stdout.write(indent(text)));
  return child;
}

/** The demo's folder has another name each time; what is printed does not. */
function indent(text: Buffer): string {
  return text
    .toString()
    .replaceAll(`${folder}/`, '')
    .replace(/^(?=.)/gm, '  ');
}

async function main(): Promise<void> {
  const began = performance.now();
  const upstream = await serveRegistry(memoryStore(), { host: '127.0.0.1', port: 0 });
  const enclave = await serveRegistry(memoryStore(), { host: '127.0.0.1', port: 0 });
  const stop = [() => upstream.close(), () => enclave.close()];
  try {
    const downloads = await fillUpstream(`127.0.0.1:${upstream.port}`, folder);
    stop.push(() => downloads.close());
    await writeSpec({ 'docker.elastic.co': `http://127.0.0.1:${upstream.port}`, ...downloads.mirrors });
    await connectedSide();
    await enclaveSide(enclave.port);
    await damage();
    say(
      `Done in ${((performance.now() - began) / 1000).toFixed(1)} s. Everything above ran with the real commands, on loopback.`,
    );
  } finally {
    await Promise.all(stop.map((close) => close()));
  }
}

async function writeSpec(mirrors: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(mirrors).map(([host, url]) => `  ${host}: ${url}\n`);
  await writeFile(join(folder, 'airgap.yaml'), `${SPEC}mirrors:\n${lines.join('')}`);
  say('Stand-ins for what Elastic publishes run on loopback. This is what we want to carry: airgap.yaml');
  const shown = lines.map((line) => line.replace(/127\.0\.0\.1:[0-9]+/, '127.0.0.1:5000')).join('');
  console.log(indent(Buffer.from(`${SPEC}mirrors:\n${shown}`)).trimEnd());
}

async function connectedSide(): Promise<void> {
  await command({
    say: 'Connected side: a key pair. The trust card travels separately from the media.',
    args: ['keygen', '--out', 'keys'],
  });
  await command({
    say: 'Two components, by version. What they need follows, is pinned, and is checked against what vouches for it.',
    args: ['lock', 'airgap.yaml', '--quiet'],
  });
  await command({
    say: 'Collect everything into one signed bundle, split for small media.',
    args: ['build', 'airgap.yaml', '--key', 'keys/airgap.key', '--out', 'media', '--volume-size', '1M'],
  });
}

async function enclaveSide(port: number): Promise<void> {
  await command({
    say: 'Inside the enclave: is every byte what was signed?',
    args: ['verify', 'media', '--key', 'keys/airgap.pub'],
  });
  await command({
    say: 'Is every image there that the operator, its manifest and its charts will ask for?',
    args: ['inspect', 'media', '--key', 'keys/airgap.pub', '--closure'],
  });
  await command({
    say: 'A file out of it.',
    args: ['export', 'media', 'eck-3.5.0-crds.yaml', '--key', 'keys/airgap.pub', '--out', 'crds.yaml'],
  });
  await command({
    say: 'What would a load do?',
    args: ['load', 'media', '--key', 'keys/airgap.pub', '--registry', `127.0.0.1:${port}/elastic`, '--dry-run'],
  });
  await command({
    say: 'Load it into the registry of the enclave.',
    args: ['load', 'media', '--key', 'keys/airgap.pub', '--registry', `127.0.0.1:${port}/elastic`],
  });
  await command({
    say: 'Again: nothing is sent twice.',
    args: ['load', 'media', '--key', 'keys/airgap.pub', '--registry', `127.0.0.1:${port}/elastic`],
  });
  await serveAndAsk();
}

/** `serve` until it says where it listens; then one request of a registry client. */
async function serveAndAsk(): Promise<void> {
  say('No registry in the enclave? The bundle is one.');
  const args = ['serve', 'media', '--key', 'keys/airgap.pub', '--listen', '127.0.0.1:0'];
  console.log(`$ eck-airgap ${args.join(' ')} &`);
  const child = start(args);
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let seen = '';
      child.stdout?.on('data', (text: Buffer) => {
        seen += text.toString();
        const found = /http:\/\/[0-9.]+:[0-9]+/.exec(seen);
        if (found) resolve(found[0]);
      });
      child.on('close', () => reject(new Error('serve ended early')));
    });
    const path = '/v2/kibana/kibana/manifests/9.5.2';
    console.log(`$ curl -I ${url}${path}`);
    const answer = await fetch(`${url}${path}`, { method: 'HEAD' });
    console.log(
      `  ${answer.status} ${answer.headers.get('content-type') ?? ''} ${answer.headers.get('docker-content-digest') ?? ''}`,
    );
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

async function damage(): Promise<void> {
  const damaged = join(folder, 'damaged');
  await mkdir(damaged);
  const names = (await readdir(join(folder, 'media'))).filter((name) => name.startsWith('site-alpha.tar'));
  for (const name of names) await copyFile(join(folder, 'media', name), join(damaged, name));
  const second = await open(join(damaged, 'site-alpha.tar.002'), 'r+');
  try {
    const byte = Buffer.alloc(1);
    await second.read(byte, 0, 1, 300_000);
    byte.writeUInt8(byte.readUInt8() ^ 1);
    await second.write(byte, 0, 1, 300_000);
  } finally {
    await second.close();
  }
  await command({
    say: 'A copy in which one bit differs is refused, with the name of what is wrong.',
    args: ['verify', 'damaged', '--key', 'keys/airgap.pub'],
    status: 3,
  });
  await rm(join(damaged, 'site-alpha.tar.002'));
  await command({
    say: 'So is one with a volume missing.',
    args: ['verify', 'damaged', '--key', 'keys/airgap.pub'],
    status: 4,
  });
  await command({
    say: 'And nothing is trusted without a key that came another way.',
    args: ['verify', 'media'],
    status: 3,
  });
}

await inScratch(tmpdir(), 'eck-airgap-demo-', async (made) => {
  folder = made;
  await main();
});
