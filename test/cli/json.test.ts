// Every --json document of every command: one document, of a kind that docs/json.md lists, with the keys that it lists, each of
// one type everywhere. Beside it what is said of each image: once.
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CliResult } from '../support/cli.ts';
import { PROGRAM, start } from '../support/command-process.ts';
import { elasticImages } from '../support/elastic-upstream.ts';
import { journey, type Journey } from '../support/journey.ts';

type Json = Record<string, unknown>;

const page = await readFile(new URL('../../docs/json.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
const kinds = new Map(
  rows.flatMap(([kind = '', , keys = '']) =>
    /^`[A-Z]/.test(kind)
      ? [[kind.replaceAll('`', ''), [...keys.matchAll(/`(\w+\??)`/g)].map(([, key = '']) => key)]]
      : [],
  ),
);
const types = new Map(
  rows.flatMap(([key = '', type = '']) => (/^`[a-z]\w*`$/.test(key) ? [[key.replaceAll('`', ''), type]] : [])),
);

const ELASTIC = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'] };
const KEY = ['--key', 'airgap.pub'];

interface Shown {
  readonly words: string;
  readonly result: CliResult;
  readonly document: Json;
}

let site: Journey;
const shown: Shown[] = [];

beforeAll(async () => {
  site = await journey({ images: elasticImages(ELASTIC) });
  await site.writeSpec({ elastic: ELASTIC, images: [] });
  const to = ['--registry', `${site.enclave.host}/site`];
  const commands = [
    ['init', 'new/airgap.yaml', '--yes'],
    ['keygen', '--out', 'keys', '--no-passphrase'],
    ['keygen', '--change-passphrase', 'keys/airgap.key', '--no-passphrase'],
    ['keygen', '--card', 'keys/airgap.pub'],
    ['lock', 'airgap.yaml'],
    ['lock', 'airgap.yaml', '--check'],
    ['build', 'airgap.yaml', '--out', 'media', '--dry-run'],
    ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media', '--expires', '2999-12-31'],
    ['verify', 'media', ...KEY],
    ['inspect', 'media', ...KEY],
    ['inspect', 'media', ...KEY, '--closure'],
    ['diff', 'airgap.lock.yaml', 'media', ...KEY],
    ['export', 'media', ...KEY],
    ['export', 'media', 'airgap.lock.yaml', 'eck-operator', ...KEY, '--out', 'taken/'],
    ['load', 'media', ...KEY, ...to, '--dry-run'],
    ['load', 'media', ...KEY, ...to],
  ];
  for (const words of commands) shown.push(await said(words, await site.run(...words, '--json')));
  shown.push(await said(['serve'], await served()));
  expect(shown.map(({ words, result }) => [words, result.status])).toEqual(shown.map(({ words }) => [words, 0]));
  const failures = [['verify', 'media'], ['lock', 'none.yaml'], ['biuld'], ['load', 'media', ...KEY]];
  for (const words of failures) shown.push(await said(words, await site.run(...words, '--json')));
}, 120_000);
afterAll(() => site.end());

async function said(words: readonly string[], result: CliResult): Promise<Shown> {
  return { words: words.join(' '), result, document: JSON.parse(result.stdout) as Json };
}

async function served(): Promise<CliResult> {
  const argv = ['serve', 'media', ...KEY, '--listen', '127.0.0.1:0', '--json'];
  const { child, ended } = start([...PROGRAM, ...argv], { cwd: site.folder, endedWith: 'caller' });
  await once(child.stdout ?? child, 'data');
  child.kill('SIGINT');
  const { status, stdout, stderr } = await ended;
  return { status: status ?? -1, stdout, stderr, events: [] };
}

describe('--json', () => {
  test('every kind of document is printed here, and is in docs/json.md', () => {
    expect([...new Set(shown.map(({ document }) => document['kind']))].sort()).toEqual([...kinds.keys()].sort());
  });

  test('each has the keys that docs/json.md lists, and no other', () => {
    for (const { words, document } of shown) {
      expect(Object.keys(document).slice(0, 2), words).toEqual(['apiVersion', 'kind']);
      const listed = kinds.get(String(document['kind'])) ?? [];
      const keys = Object.keys(document).slice(2);
      expect(
        keys.filter((key) => !listed.includes(key) && !listed.includes(`${key}?`)),
        words,
      ).toEqual([]);
      expect(
        listed.filter((key) => !key.endsWith('?') && !keys.includes(key)),
        words,
      ).toEqual([]);
    }
  });

  test('each key is of the one type that docs/json.md says', () => {
    for (const { words, document } of shown)
      for (const [key, value] of Object.entries(document))
        expect(typeOf(value), `${words}: ${key}`).toBe(types.get(key));
  });

  test('a bundle has one name, digest and number, and its things one count, in every command', () => {
    const facts = shown.flatMap(({ document }) =>
      document['counts'] === undefined ? [] : [[document['name'], document['digest'], document['sequence']]],
    );
    expect(facts.length).toBeGreaterThan(5);
    for (const one of facts) expect(one).toEqual(facts[0]);
    const counts = shown.flatMap(({ document: { counts } }) => (counts === undefined ? [] : [counts as Json]));
    for (const { images, artifacts } of counts)
      expect([images, artifacts]).toEqual([counts[0]?.['images'], counts[0]?.['artifacts']]);
    const built = shown.find(({ words }) => words.startsWith('lock '));
    expect((built?.document['images'] as unknown[]).length).toBe(counts[0]?.['images']);
    expect((built?.document['artifacts'] as unknown[]).length).toBe(counts[0]?.['artifacts']);
  });
});

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'list' : typeof value;
}

describe('for people', () => {
  test('lock, build and load say each image once', async () => {
    await rm(site.path('airgap.lock.yaml'));
    const names = site.images.map((name) => name.split('/').slice(1).join('/'));
    const commands = [
      ['lock', 'airgap.yaml'],
      ['build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'again', '--cache', 'another'],
      ['load', 'again', ...KEY, '--registry', `${site.enclave.host}/other`],
    ];
    for (const words of commands) {
      // build makes a lock where there is none
      if (words[0] === 'build') await rm(site.path('airgap.lock.yaml'));
      const { status, stdout, stderr } = await site.run(...words);
      expect([words[0], status, stderr]).toEqual([words[0], 0, expect.not.stringContaining('Error')]);
      const lines = `${stdout}${stderr}`.split('\n');
      for (const name of names)
        expect(lines.filter((line) => line.includes(name)).length, `${words[0] ?? ''}: ${name}`).toBe(1);
    }
  });
});
