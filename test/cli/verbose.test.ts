// --verbose: requests with their method, place, status and time; retries; steps. No query of a URL, and no stack.
import { expect, test } from 'vitest';
import { openOutput } from '../../src/cli/output.ts';
import { testIo } from '../support/io.ts';
import { journey } from '../support/journey.ts';

test('requests, with their time, and retries are lines; quietly without it', async () => {
  for (const verbose of [true, false]) {
    const { io, stderr, advance } = testIo();
    const { report } = await openOutput(io, { verbose, quiet: true });
    advance(1500);
    report({ type: 'request', id: 1, method: 'GET', url: 'https://r.example/v2/' });
    report({ type: 'request', id: 2, method: 'HEAD', url: 'https://r.example/other' });
    advance(34);
    report({ type: 'request-failed', id: 2, message: 'refused' });
    report({ type: 'response', id: 1, status: 200 });
    report({ type: 'retry', after: 500, message: 'refused' });
    report({ type: 'step', step: 'lock:written' });
    expect(stderr().split('\n')).toEqual(
      verbose
        ? [
            ' 1.534 s  HEAD https://r.example/other: refused after 34 ms',
            ' 1.534 s  GET https://r.example/v2/: 200 after 34 ms',
            ' 1.534 s  again in 0.500 s: refused',
            ' 1.534 s  step lock:written',
            '',
          ]
        : [''],
    );
  }
});

test('a build and a load say each request, and no query', async () => {
  const site = await journey();
  try {
    const build = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '-v');
    expect(build.status).toBe(0);
    expect(build.stderr).toMatch(/^ +\d+\.\d{3} s {2}GET http:\/\/127\.0\.0\.1:\d+\/v2\/\S+: 200 after \d+ ms$/m);
    const load = await site.run('load', 'media', '--key', 'airgap.pub', '--registry', site.enclave.host, '-v');
    expect(load.stderr).toMatch(/PUT http\S+: 201 after/);
    expect(`${build.stderr}${load.stderr}`).not.toMatch(/http\S*[?]|^ +at /m);
  } finally {
    await site.end();
  }
});
