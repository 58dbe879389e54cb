// The first signal ends the work in order, and where that takes too long without; the second always ends the process. A
// thread that is held by long work is no exception.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readYaml } from '../../src/build/kubernetes-yaml.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { parseBundleManifest } from '../../src/bundle/manifest.ts';
import { holdThread, onThreadHeld } from '../../src/core/held-thread.ts';
import { start, type Started } from '../support/command-process.ts';
import { thrown } from '../support/thrown.ts';

const SIGNALLED = fileURLToPath(new URL('../support/signalled.ts', import.meta.url));
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function ready(state: string): Promise<Started> {
  const started = start([process.execPath, SIGNALLED, state], { cwd: '/' });
  await said(started, 'ready');
  return started;
}

async function said({ child }: Started, word: string): Promise<void> {
  for (;;) {
    const [text] = (await once(child.stdout ?? child, 'data')) as [Buffer];
    if (text.toString().includes(word)) return;
  }
}

describe.each(SIGNALS)('%s', (signal) => {
  test('ends a process whose thread is held', async () => {
    const { child, ended } = await ready('held');
    child.kill(signal);
    expect(await ended).toMatchObject({ signal });
  });

  test('ends work in order', async () => {
    const { child, ended } = await ready('idle');
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 130, stdout: 'ready\naborted\n' });
  });

  test('ends work that does not end in order', async () => {
    const { child, ended } = await ready('stuck');
    child.kill(signal);
    expect(await ended).toMatchObject({ status: 130 });
  });

  test('ends the process when it is the second', async () => {
    const started = await ready('stuck');
    started.child.kill('SIGTERM');
    await said(started, 'aborted');
    started.child.kill(signal);
    expect(await started.ended).toMatchObject({ status: 130 });
  });
});

describe('the thread is held for', () => {
  test.each([
    ['a manifest of a bundle', () => parseBundleManifest(Buffer.from('{'))],
    ['what people write', () => parseSpec('apiVersion: x', 'airgap.yaml')],
    ['what is carried', () => readYaml('a: [', { where: 'x', code: 'CONFIG_INVALID' })],
  ])('%s, and then no longer', (_what, parse) => {
    const states: string[] = [];
    onThreadHeld((work) => {
      states.push('held');
      try {
        return work();
      } finally {
        states.push('free');
      }
    });
    onTestFinished(() => onThreadHeld((work) => work()));
    thrown(parse);
    expect([states.at(0), states.at(-1)]).toEqual(['held', 'free']);
  });

  test('work whose value is returned', () => {
    expect(holdThread(() => 1)).toBe(1);
  });
});
