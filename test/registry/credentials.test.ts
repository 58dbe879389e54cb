// Credentials files: where they are looked for, what their keys cover, what their entries mean.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { basic, credentialHome, entry, type CredentialHome } from '../support/credential-home.ts';
import { rejected } from '../support/thrown.ts';

let home: CredentialHome;

beforeEach(async () => {
  home = await credentialHome();
});

describe('where credentials are looked for', () => {
  test('nowhere: anonymous', async () => {
    expect(await home.source().find('registry.example')).toBeUndefined();
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
    for (const [path, content] of Object.entries(places)) await home.write(path, content);
    Object.assign(home.env, {
      REGISTRY_AUTH_FILE: join(home.folder, 'named.json'),
      XDG_RUNTIME_DIR: join(home.folder, 'run'),
      XDG_CONFIG_HOME: join(home.folder, 'config'),
      DOCKER_CONFIG: join(home.folder, 'docker'),
    });
    const credentials = home.source({ overrides: { z: basic('flag') } });
    const found = await Promise.all(['z', 'a', 'b', 'c', 'd', 'e'].map((host) => credentials.find(host)));
    expect(found.slice(0, 5)).toMatchObject(['flag', 'named', 'runtime', 'xdg', 'docker'].map((name) => basic(name)));
    expect(found[5]).toBeUndefined();
  });

  test('~/.docker and ~/.config when nothing is set', async () => {
    await home.docker({ auths: { a: entry('docker') } });
    await home.write('.config/containers/auth.json', { auths: { b: entry('containers') } });
    expect(await home.source().find('a')).toMatchObject(basic('docker'));
    expect(await home.source().find('b')).toMatchObject(basic('containers'));
  });

  test('what is given on the command line wins, and reads no file', async () => {
    home.env['REGISTRY_AUTH_FILE'] = await home.write('bad.json', 'not json');
    const credentials = home.source({ overrides: { 'registry.example:5000': basic('me') } });
    expect(await credentials.find('registry.example:5000')).toMatchObject(basic('me'));
    expect((await rejected(credentials.find('registry.example'))).code).toBe('CREDENTIALS_INVALID');
  });

  test('files are read when first needed, and once', async () => {
    const credentials = home.source();
    await home.docker({ auths: { a: entry('first') } });
    expect(await credentials.find('a')).toMatchObject(basic('first'));
    await home.docker({ auths: { a: entry('second') } });
    expect(await credentials.find('a')).toMatchObject(basic('first'));
  });

  test('a named file that is not there is an error, not anonymous access', async () => {
    home.env['REGISTRY_AUTH_FILE'] = join(home.folder, 'absent.json');
    expect((await rejected(home.source().find('a'))).code).toBe('FILE_NOT_FOUND');
  });

  test('an empty file, as some programs leave it, knows nothing', async () => {
    await home.docker('');
    expect(await home.source().find('a')).toBeUndefined();
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
    await home.docker({ auths: { [key]: entry('me') } });
    expect(await home.source().find(host)).toMatchObject(basic('me'));
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
    await home.docker(`{"auths":{${JSON.stringify(key)}:${JSON.stringify(entry('me'))}}}`);
    expect(await home.source().find(host)).toBeUndefined();
    expect(await home.source().find(host, 'library/nginx')).toBeUndefined();
  });

  test('a plain host wins over its URL, whatever their order', async () => {
    const plain = { 'docker.io': entry('plain') };
    const url = { 'https://index.docker.io/v1/': entry('url') };
    await home.write('a.json', { auths: { ...plain, ...url } });
    await home.write('b.json', { auths: { ...url, ...plain } });
    for (const file of ['a.json', 'b.json']) {
      home.env['REGISTRY_AUTH_FILE'] = join(home.folder, file);
      expect(await home.source().find('docker.io')).toMatchObject(basic('plain'));
    }
  });

  test('of keys with a path, the longest that covers the repository, by whole components', async () => {
    const keys = ['quay.io', 'quay.io/team', 'quay.io/team/app', 'other.example/team'];
    await home.docker({ auths: Object.fromEntries(keys.map((key) => [key, entry(key)])) });
    const user = async (host: string, repository?: string) =>
      ((await home.source().find(host, repository)) as { username?: string } | undefined)?.username;
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
    const from = await home.docker({ auths: { a: stored } });
    expect(await home.source().find('a')).toEqual(expected && { ...expected, from });
  });

  test('an empty entry leaves the question to the next key', async () => {
    await home.docker({ auths: { 'quay.io/team': {}, 'quay.io': entry('me') } });
    expect(await home.source().find('quay.io', 'team/app')).toMatchObject(basic('me'));
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
    const file = await home.docker(content);
    const error = await rejected(home.source().find('a'));
    expect(error.code).toBe('CREDENTIALS_INVALID');
    expect(error.message).toContain(file);
    expect(error.message).not.toContain('\n');
    expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|aHVudGVyMg/);
    expect(JSON.stringify(error.details)).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  test('a folder in place of the file', async () => {
    await mkdir(join(home.folder, '.docker/config.json'), { recursive: true });
    expect((await rejected(home.source().find('a'))).code).toBe('CREDENTIALS_INVALID');
  });

  test('an entry that cannot be understood does not stop the other hosts', async () => {
    await home.docker({ auths: { a: { auth: '!' }, b: entry('me') } });
    expect(await home.source().find('b')).toMatchObject(basic('me'));
  });
});
