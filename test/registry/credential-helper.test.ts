// Credential helpers, as real programs on a PATH.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { basic, credentialHome, entry, type CredentialHome } from '../support/credential-home.ts';
import { rejected } from '../support/thrown.ts';

let home: CredentialHome;

beforeEach(async () => {
  home = await credentialHome();
});

describe('credential helpers', () => {
  const answer = (answered: unknown) => `console.log(${JSON.stringify(JSON.stringify(answered))});`;

  test('the one for the host is asked "get", with the host on standard input', async () => {
    const calls = await home.helper('ecr-login', answer({ ServerURL: 'x', Username: 'AWS', Secret: 's' }));
    await home.docker({
      credHelpers: { 'registry.example:5000': 'ecr-login' },
      auths: { 'registry.example:5000': entry('stale') },
    });
    expect(await home.source().find('registry.example:5000', 'a/b')).toMatchObject(basic('AWS', 's'));
    expect(await calls()).toEqual(['get registry.example:5000']);
  });

  test('it gets the environment without the passphrase of our own key', async () => {
    const seen = join(home.folder, 'seen');
    const keep = `require('fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env));`;
    await home.helper('pass', `${keep}${answer({ Username: 'me', Secret: 'pw' })}`);
    await home.docker({ credsStore: 'pass' });
    Object.assign(home.env, { ECK_AIRGAP_PASSPHRASE: 'hunter2', ECK_AIRGAP_NEW_PASSPHRASE: 'hunter2', KEPT: 'kept' });
    expect(await home.source().find('a')).toMatchObject(basic('me'));
    const environment = await readFile(seen, 'utf8');
    expect(environment).toContain('kept');
    expect(environment).not.toContain('hunter2');
  });

  test('it is not asked for other hosts', async () => {
    const calls = await home.helper('ecr-login', answer({ Username: 'AWS', Secret: 's' }));
    await home.docker({ credHelpers: { 'registry.example': 'ecr-login' } });
    expect(await home.source().find('example')).toBeUndefined();
    expect(await home.source().find('my.registry.example')).toBeUndefined();
    expect(await calls()).toEqual([]);
  });

  test('Docker Hub is asked for by the name that Docker stores it under', async () => {
    const calls = await home.helper('pass', answer({ Username: 'me', Secret: 'pw' }));
    await home.docker({ credsStore: 'pass', auths: { 'https://index.docker.io/v1/': {} } });
    expect(await home.source().find('docker.io')).toMatchObject(basic('me'));
    expect(await calls()).toEqual(['get https://index.docker.io/v1/']);
  });

  test('the user name <token> means an identity token', async () => {
    await home.helper('pass', answer({ Username: '<token>', Secret: 'abc' }));
    await home.docker({ credsStore: 'pass' });
    expect(await home.source().find('a')).toMatchObject({ kind: 'identity-token', token: 'abc' });
  });

  test('"credentials not found" is none, and the next file is looked at', async () => {
    await home.helper('pass', `console.log('credentials not found in native keychain'); process.exit(1);`);
    await home.write('run/containers/auth.json', { credsStore: 'pass' });
    home.env['XDG_RUNTIME_DIR'] = join(home.folder, 'run');
    await home.docker({ auths: { a: entry('me') } });
    expect(await home.source().find('a')).toMatchObject(basic('me'));
    expect(await home.source().find('b')).toBeUndefined();
  });

  test('an empty secret is none', async () => {
    await home.helper('pass', answer({ ServerURL: '', Username: '', Secret: '' }));
    await home.docker({ credsStore: 'pass' });
    expect(await home.source().find('a')).toBeUndefined();
  });

  test('an empty name is no helper', async () => {
    await home.docker({ credsStore: '', credHelpers: { a: '' }, auths: { a: entry('me') } });
    expect(await home.source().find('a')).toMatchObject(basic('me'));
  });

  test('a helper that does not read its input is no trouble', async () => {
    await home.program('deaf', `#!/bin/sh\necho '{"Username":"me","Secret":"pw"}'\n`);
    await home.docker({ credsStore: 'deaf' });
    expect(await home.source().find('a')).toMatchObject(basic('me'));
  });

  test('questions at the same time for one host start it once; later ones ask again, since answers expire', async () => {
    const calls = await home.helper('gcloud', answer({ Username: 'me', Secret: 'pw' }));
    await home.docker({ credsStore: 'gcloud' });
    const credentials = home.source();
    await Promise.all([credentials.find('a'), credentials.find('a', 'x'), credentials.find('a', 'y')]);
    expect(await calls()).toHaveLength(1);
    await credentials.find('a');
    expect(await calls()).toHaveLength(2);
  });

  test.each([
    ['is not on the PATH', undefined],
    ['fails', `console.error('hunter2'); console.log('hunter2'); process.exit(3);`],
    ['answers no JSON', `console.log('hunter2');`],
    ['answers another shape', answer({ Username: 'hunter2' })],
    ['is killed', `process.kill(process.pid, 'SIGKILL');`],
    ['never stops talking', `setInterval(() => process.stdout.write('hunter2'.repeat(4096)), 0);`],
  ])('one that %s is an error that names it and quotes nothing', async (_, body) => {
    if (body !== undefined) await home.helper('broken', body);
    await home.docker({ credsStore: 'broken' });
    const error = await rejected(home.source().find('registry.example'));
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain('docker-credential-broken');
    expect(error.message).toContain('registry.example');
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test.each(['../evil', 'a/b', 'a b', '$(x)', '-x', 'a\0', '..', 'x'.repeat(64)])('%j is never run', async (name) => {
    await home.docker({ credsStore: name });
    const ran: string[] = [];
    const run = (file: string) => {
      ran.push(file);
      return Promise.reject(new Error('ran'));
    };
    expect((await rejected(home.source({ run }).find('a'))).code).toBe('CREDENTIALS_INVALID');
    expect(ran).toEqual([]);
  });

  test('one that hangs is given up', async () => {
    await home.docker({ credsStore: 'slow' });
    const run = () => Promise.reject(Object.assign(new Error('aborted'), { code: 'ABORT_ERR' }));
    expect((await rejected(home.source({ run }).find('a'))).message).toContain('did not answer');
  });
});
