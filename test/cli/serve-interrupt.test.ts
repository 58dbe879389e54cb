// SIGINT and SIGTERM end `serve` whatever its clients do: one that stopped in the middle of a body, one that sends its request
// slowly, and one that is silent.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { journey, type Journey } from '../support/journey.ts';
import { randomImage } from '../support/random-image.ts';
import { rawConnection } from '../support/raw-http.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const NAME = 'docker.elastic.co/kibana/kibana:9.5.2';
// more than the sockets between us take
const IMAGE = randomImage('serve', { layers: ['gzip'], layerSize: 12_000_000 });
let site: Journey;

beforeEach(async () => {
  site = await journey({ images: { [NAME]: IMAGE } });
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
});
afterEach(() => site.end());

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s with stalled clients ends it, without a word of failure',
  async (signal) => {
    const child = spawn(process.execPath, [MAIN, 'serve', 'media', '--key', 'airgap.pub', '--listen', '127.0.0.1:0'], {
      cwd: site.folder,
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    const port = await new Promise<number>((resolve) =>
      child.stdout.on('data', (text: Buffer) => {
        const [, found] = /:([0-9]+) /.exec(text.toString()) ?? [];
        if (found !== undefined) resolve(Number(found));
      }),
    );
    const layer = IMAGE.blobs.find(({ bytes }) => bytes.byteLength > 10_000_000);
    const stalled = rawConnection(port);
    stalled.socket.write(`GET /v2/kibana/kibana/blobs/${layer?.descriptor.digest ?? ''} HTTP/1.1\r\nhost: x\r\n\r\n`);
    await stalled.until(/^HTTP\/1\.1 200 /);
    stalled.socket.pause();
    const slow = rawConnection(port);
    slow.socket.write('GET /v2/ HTTP/1.1\r\nhost: x\r\nx-slow: ');
    const silent = rawConnection(port);
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    child.kill(signal);
    await Promise.all([slow.ended, silent.ended]);
    expect(await ended).toBe(0);
    expect(stderr).toBe('');
    stalled.socket.destroy();
  },
);
