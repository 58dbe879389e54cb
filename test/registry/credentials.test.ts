import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CredentialSource } from '../../src/registry/credential.ts';
import { credentialSource, type CredentialSourceOptions } from '../../src/registry/credentials.ts';
import { rejected } from '../support/thrown.ts';

let folder: string;
let env: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  env = { PATH: [join(folder, 'bin'), dirname(process.execPath)].join(delimiter) };
});
afterEach(() => rm(folder, { recursive: true }));

const source = (options: Partial<CredentialSourceOptions> = {}): CredentialSource =>
  credentialSource({ env, homeDir: folder, ...options });
const basic = (username: string, password = 'pw') => ({ kind: 'basic' as const, username, password });
const entry = (username: string, password = 'pw') => ({
  auth: Buffer.from(`${username}:${password}`).toString('base64'),
});

async function write(path: string, content: unknown): Promise<string> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const docker = (config: unknown) => write('.docker/config.json', config);

/** A program that Node runs, on the PATH given to the source. It notes each call in `calls`. */
async function helper(name: string, body: string): Promise<() => Promise<string[]>> {
  const calls = join(folder, `${name}.calls`);
  const program = await write(
    `bin/docker-credential-${name}`,
    [
      '#!/usr/bin/env node',
      `const server = require('fs').readFileSync(0, 'utf8');`,
      `require('fs').appendFileSync(${JSON.stringify(calls)}, process.argv.slice(2).join(' ') + ' ' + server + '\\n');`,
      body,
    ].join('\n'),
  );
  await chmod(program, 0o755);
  return async () => (await readFile(calls, 'utf8').catch(() => '')).split('\n').filter(Boolean);
}

describe('where credentials are looked for', () => {
  test('nowhere: anonymous', async () => {
    expect(await source().find('registry.example')).toBeUndefined();
  });

  test('each place in its order, and the next when it knows nothing of the host', async () => {
    const places = {
      'named.json': { auths: { a: entry('named') } },
      'run/containers/auth.json': { auths: { a: entry('runtime'), b: entry('runtime') } },
      'config/containers/auth.json': { auths: { a: entry('xdg'), b: entry('xdg'), c: entry('xdg') } },
      'docker/config.json': {
        auths: { a: entry('docker'), b: entry('docker'), c: entry('docker'), d: entry('docker') },
      },
      '.docker/config.json': { auths: { d: entry('home'), e: entry('home') } },
    };
    for (const [path, content] of Object.entries(places)) await write(path, content);
    Object.assign(env, {
      REGISTRY_AUTH_FILE: join(folder, 'named.json'),
      XDG_RUNTIME_DIR: join(folder, 'run'),
      XDG_CONFIG_HOME: join(folder, 'config'),
      DOCKER_CONFIG: join(folder, 'docker'),
    });
    const credentials = source({ overrides: { z: basic('flag') } });
    const found = await Promise.all(['z', 'a', 'b', 'c', 'd', 'e'].map((host) => credentials.find(host)));
    expect(found).toEqual([basic('flag'), basic('named'), basic('runtime'), basic('xdg'), basic('docker'), undefined]);
  });

  test('~/.docker and ~/.config when nothing is set', async () => {
    await docker({ auths: { a: entry('docker') } });
    await write('.config/containers/auth.json', { auths: { b: entry('containers') } });
    expect(await source().find('a')).toEqual(basic('docker'));
    expect(await source().find('b')).toEqual(basic('containers'));
  });

  test('what is given on the command line wins, and reads no file', async () => {
    env['REGISTRY_AUTH_FILE'] = await write('bad.json', 'not json');
    const credentials = source({ overrides: { 'registry.example:5000': basic('me') } });
    expect(await credentials.find('registry.example:5000')).toEqual(basic('me'));
    expect((await rejected(credentials.find('registry.example'))).code).toBe('CREDENTIALS_INVALID');
  });

  test('files are read when first needed, and once', async () => {
    const credentials = source();
    await docker({ auths: { a: entry('first') } });
    expect(await credentials.find('a')).toEqual(basic('first'));
    await docker({ auths: { a: entry('second') } });
    expect(await credentials.find('a')).toEqual(basic('first'));
  });

  test('a named file that is not there is an error, not anonymous access', async () => {
    env['REGISTRY_AUTH_FILE'] = join(folder, 'absent.json');
    expect((await rejected(source().find('a'))).code).toBe('FILE_NOT_FOUND');
  });

  test('an empty file, as some programs leave it, knows nothing', async () => {
    await docker('');
    expect(await source().find('a')).toBeUndefined();
  });
});

describe('keys', () => {
  test.each([
    ['registry.example', 'registry.example'],
    ['registry.example:5000', 'registry.example:5000'],
    ['https://registry.example/v1/', 'registry.example'],
    ['https://registry.example', 'registry.example'],
    ['http://registry.example:5000/v2/', 'registry.example:5000'],
    ['registry.example/', 'registry.example'],
    ['Registry.Example', 'registry.EXAMPLE'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'registry-1.docker.io'],
    ['index.docker.io', 'docker.io'],
    ['[::1]:5000', '[::1]:5000'],
  ])('%s is for %s', async (key, host) => {
    await docker({ auths: { [key]: entry('me') } });
    expect(await source().find(host)).toEqual(basic('me'));
  });

  test.each([
    ['example.com', 'registry.example.com'],
    ['registry.example.com', 'example.com'],
    ['registry.example', 'registry.example:5000'],
    ['registry.example:5000', 'registry.example'],
    ['registry.example', 'evil-registry.example'],
    ['registry.example', 'registry.example.evil.example'],
    ['docker.io', 'evil.docker.io'],
    ['*.example', 'registry.example'],
    ['registry.example/team', 'registry.example'],
    ['', 'registry.example'],
    ['__proto__', 'registry.example'],
  ])('sigstore-js 0.7.2: %s is not for %s', async (key, host) => {
    await docker(`{"auths":{${JSON.stringify(key)}:${JSON.stringify(entry('me'))}}}`);
    expect(await source().find(host)).toBeUndefined();
    expect(await source().find(host, 'library/nginx')).toBeUndefined();
  });

  test('a plain host wins over its URL, whatever their order', async () => {
    const plain = { 'docker.io': entry('plain') };
    const url = { 'https://index.docker.io/v1/': entry('url') };
    await write('a.json', { auths: { ...plain, ...url } });
    await write('b.json', { auths: { ...url, ...plain } });
    for (const file of ['a.json', 'b.json']) {
      env['REGISTRY_AUTH_FILE'] = join(folder, file);
      expect(await source().find('docker.io')).toEqual(basic('plain'));
    }
  });

  test('of keys with a path, the longest that covers the repository, by whole components', async () => {
    const keys = ['quay.io', 'quay.io/team', 'quay.io/team/app', 'other.example/team'];
    await docker({ auths: Object.fromEntries(keys.map((key) => [key, entry(key)])) });
    const user = async (host: string, repository?: string) =>
      ((await source().find(host, repository)) as { username?: string } | undefined)?.username;
    expect(await user('quay.io', 'team/app')).toBe('quay.io/team/app');
    expect(await user('quay.io', 'team/app/sub')).toBe('quay.io/team/app');
    expect(await user('quay.io', 'team/application')).toBe('quay.io/team');
    expect(await user('quay.io', 'teams/app')).toBe('quay.io');
    expect(await user('quay.io')).toBe('quay.io');
    expect(await user('other.example', 'team/app')).toBe('other.example/team');
    expect(await user('other.example', 'teams')).toBeUndefined();
    expect(await user('other.example')).toBeUndefined();
  });
});

describe('entries', () => {
  test.each([
    ['user and password', entry('me', 's3:cret'), basic('me', 's3:cret')],
    ['a password that Docker padded', entry('me', 'pw\0\0'), basic('me')],
    ['a password beyond ASCII', entry('me', 'pä§'), basic('me', 'pä§')],
    ['both in the clear', { username: 'me', password: 'pw' }, basic('me')],
    [
      'an identity token',
      { auth: Buffer.from('id:').toString('base64'), identitytoken: 'abc' },
      { kind: 'identity-token', token: 'abc', username: 'id' },
    ],
    ['an identity token alone', { identitytoken: 'abc' }, { kind: 'identity-token', token: 'abc' }],
    ['a registry token', { registrytoken: 'abc' }, { kind: 'bearer', token: 'abc' }],
    ['nothing', {}, undefined],
    ['null', null, undefined],
    ['an e-mail address only', { email: 'me@example' }, undefined],
  ])('%s', async (_, stored, expected) => {
    await docker({ auths: { a: stored } });
    expect(await source().find('a')).toEqual(expected);
  });

  test('an empty entry leaves the question to the next key', async () => {
    await docker({ auths: { 'quay.io/team': {}, 'quay.io': entry('me') } });
    expect(await source().find('quay.io', 'team/app')).toEqual(basic('me'));
  });
});

describe('files that cannot be understood', () => {
  test.each([
    ['not JSON', '{"auths": {"a": {"auth": "aHVudGVyMg=="'],
    ['not JSON, a secret alone', 'hunter2'],
    ['not an object', '["hunter2"]'],
    ['auths of another shape', { auths: 'hunter2' }],
    ['an entry of another shape', { auths: { a: 'hunter2' } }],
    ['a field of another shape', { auths: { a: { password: ['hunter2'] } } }],
    ['auth that is not base64', { auths: { a: { auth: 'hunter2!' } } }],
    ['auth without a colon', { auths: { a: { auth: Buffer.from('hunter2').toString('base64') } } }],
    ['a token that would break a header', { auths: { a: { registrytoken: 'hunter2\r\nx: y' } } }],
    ['helpers of another shape', { credHelpers: ['hunter2'] }],
  ])('%s: the file is named, its content is not', async (_, content) => {
    const file = await docker(content);
    const error = await rejected(source().find('a'));
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain(file);
    expect(error.message).not.toContain('\n');
    expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(JSON.stringify(error.details)).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test('a folder in place of the file', async () => {
    await mkdir(join(folder, '.docker/config.json'), { recursive: true });
    expect((await rejected(source().find('a'))).code).toBe('CREDENTIALS_INVALID');
  });

  test('an entry that cannot be understood does not stop the other hosts', async () => {
    await docker({ auths: { a: { auth: '!' }, b: entry('me') } });
    expect(await source().find('b')).toEqual(basic('me'));
  });
});

describe('credential helpers', () => {
  const answer = (answered: unknown) => `console.log(${JSON.stringify(JSON.stringify(answered))});`;

  test('the one for the host is asked "get", with the host on standard input', async () => {
    const calls = await helper('ecr-login', answer({ ServerURL: 'x', Username: 'AWS', Secret: 's' }));
    await docker({
      credHelpers: { 'registry.example:5000': 'ecr-login' },
      auths: { 'registry.example:5000': entry('stale') },
    });
    expect(await source().find('registry.example:5000', 'a/b')).toEqual(basic('AWS', 's'));
    expect(await calls()).toEqual(['get registry.example:5000']);
  });

  test('it is not asked for other hosts', async () => {
    const calls = await helper('ecr-login', answer({ Username: 'AWS', Secret: 's' }));
    await docker({ credHelpers: { 'registry.example': 'ecr-login' } });
    expect(await source().find('example')).toBeUndefined();
    expect(await source().find('my.registry.example')).toBeUndefined();
    expect(await calls()).toEqual([]);
  });

  test('Docker Hub is asked for by the name that Docker stores it under', async () => {
    const calls = await helper('pass', answer({ Username: 'me', Secret: 'pw' }));
    await docker({ credsStore: 'pass', auths: { 'https://index.docker.io/v1/': {} } });
    expect(await source().find('docker.io')).toEqual(basic('me'));
    expect(await calls()).toEqual(['get https://index.docker.io/v1/']);
  });

  test('the user name <token> means an identity token', async () => {
    await helper('pass', answer({ Username: '<token>', Secret: 'abc' }));
    await docker({ credsStore: 'pass' });
    expect(await source().find('a')).toEqual({ kind: 'identity-token', token: 'abc' });
  });

  test('"credentials not found" is none, and the next file is looked at', async () => {
    await helper('pass', `console.log('credentials not found in native keychain'); process.exit(1);`);
    await write('run/containers/auth.json', { credsStore: 'pass' });
    env['XDG_RUNTIME_DIR'] = join(folder, 'run');
    await docker({ auths: { a: entry('me') } });
    expect(await source().find('a')).toEqual(basic('me'));
    expect(await source().find('b')).toBeUndefined();
  });

  test('an empty secret is none', async () => {
    await helper('pass', answer({ ServerURL: '', Username: '', Secret: '' }));
    await docker({ credsStore: 'pass' });
    expect(await source().find('a')).toBeUndefined();
  });

  test('an empty name is no helper', async () => {
    await docker({ credsStore: '', credHelpers: { a: '' }, auths: { a: entry('me') } });
    expect(await source().find('a')).toEqual(basic('me'));
  });

  test('a helper that does not read its input is no trouble', async () => {
    await write('bin/docker-credential-deaf', `#!/bin/sh\necho '{"Username":"me","Secret":"pw"}'\n`);
    await chmod(join(folder, 'bin/docker-credential-deaf'), 0o755);
    await docker({ credsStore: 'deaf' });
    expect(await source().find('a')).toEqual(basic('me'));
  });

  test('questions at the same time for one host start it once; later ones ask again, since answers expire', async () => {
    const calls = await helper('gcloud', answer({ Username: 'me', Secret: 'pw' }));
    await docker({ credsStore: 'gcloud' });
    const credentials = source();
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
    if (body !== undefined) await helper('broken', body);
    await docker({ credsStore: 'broken' });
    const error = await rejected(source().find('registry.example'));
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain('docker-credential-broken');
    expect(error.message).toContain('registry.example');
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test.each(['../evil', 'a/b', 'a b', '$(x)', '-x', 'a\0', '..', 'x'.repeat(64)])('%j is never run', async (name) => {
    await docker({ credsStore: name });
    const ran: string[] = [];
    const run = (file: string) => {
      ran.push(file);
      return Promise.reject(new Error('ran'));
    };
    expect((await rejected(source({ run }).find('a'))).code).toBe('CREDENTIALS_INVALID');
    expect(ran).toEqual([]);
  });

  test('one that hangs is given up', async () => {
    await docker({ credsStore: 'slow' });
    const run = () => Promise.reject(Object.assign(new Error('aborted'), { code: 'ABORT_ERR' }));
    expect((await rejected(source({ run }).find('a'))).message).toContain('did not answer');
  });
});
