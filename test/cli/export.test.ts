// Files and charts out of a bundle: one, several, to a folder, to stdout; and what there is.
import { readFile, writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { digestOf } from '../../src/core/digest.ts';
import { elasticImages } from '../support/elastic-upstream.ts';
import { testIo } from '../support/io.ts';
import { journey, type Journey } from '../support/journey.ts';

const ELASTIC = { eck: '3.5.0', stack: ['9.5.2'], components: ['kibana'], monitoring: false };
const NOTES = Buffer.alloc(300_000, 'notes');

let site: Journey;
beforeAll(async () => {
  site = await journey({ images: elasticImages(ELASTIC) });
  await writeFile(site.path('notes.txt'), NOTES);
  await site.writeSpec({ elastic: ELASTIC, images: [], files: [{ path: 'notes.txt' }] });
  expect((await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', 'media')).status).toBe(0);
});
afterAll(() => site.end());

const take = (...words: string[]) => site.run('export', 'media', ...words, '--key', 'airgap.pub');
const archive = async () => {
  const { images } = await site.readLock();
  return images.find(({ name }) => name.endsWith('/eck-operator:3.5.0') && name.includes('/charts/'))?.chart?.digest;
};

test('without a name all files and charts are listed', async () => {
  const { status, stdout } = await take();
  expect(status).toBe(0);
  for (const name of ['airgap.lock.yaml', 'notes.txt', 'eck-operator-3.5.0.tgz', 'eck-stack-0.20.0.tgz'])
    expect(stdout).toMatch(new RegExp(`^${name.replaceAll('.', '\\.')} `, 'm'));
});

describe('a chart', () => {
  test.each([
    ['its name', 'eck-operator'],
    ['its name and version', 'eck-operator:3.5.0'],
    ['the name of its archive', 'eck-operator-3.5.0.tgz'],
    ['its reference', 'helm.elastic.co/charts/eck-operator:3.5.0'],
  ])('is known by %s, and is the archive that was locked', async (_what, name) => {
    expect((await take(name, '--out', 'chart.tgz')).status).toBe(0);
    expect(digestOf(await site.read('chart.tgz'))).toBe(await archive());
  });
});

test('several go to a folder, which is made; again over them nothing is done', async () => {
  for (let times = 0; times < 2; times++) {
    const { status, stdout } = await take('notes.txt', 'eck-operator', 'notes.txt', '--out', 'some/folder');
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(await site.read('some', 'folder', 'notes.txt')).toEqual(NOTES);
    expect(digestOf(await site.read('some', 'folder', 'eck-operator-3.5.0.tgz'))).toBe(await archive());
  }
});

test.each([['notes/'], ['media']])('one goes into a folder that is named as one, or is one: %s', async (out) => {
  expect((await take('airgap.lock.yaml', '--out', out)).status).toBe(0);
  expect(await site.read(out, 'airgap.lock.yaml')).toEqual(await site.read('airgap.lock.yaml'));
});

test('without --out a file keeps its name, here', async () => {
  expect((await take('eck-stack')).status).toBe(0);
  await readFile(site.path('eck-stack-0.20.0.tgz'));
});

describe('--out -', () => {
  test('writes the bytes of one file on stdout, and nothing else', async () => {
    expect((await take('notes.txt', '--out', '-')).stdout).toBe(NOTES.toString());
  });

  test.each([
    ['several names', ['notes.txt', 'eck-operator', '--out', '-']],
    ['--json', ['notes.txt', '--out', '-', '--json']],
  ])('is refused with %s', async (_what, words) => {
    expect((await take(...words)).status).toBe(2);
  });

  test.each([
    ['EPIPE', 0],
    ['ENOSPC', 1],
  ])('where stdout fails with %s ends with %d', async (code, status) => {
    const stdout = new Writable({ write: (_c, _e, done) => done(Object.assign(new Error(code), { code })) });
    const { io, stderr } = testIo({ stdout, cwd: site.folder });
    expect(await run(['export', 'media', 'notes.txt', '--key', 'airgap.pub', '--out', '-'], io)).toBe(status);
    expect(stderr().includes('[DISK_FULL]')).toBe(code === 'ENOSPC');
  });
});

test('what is not there is named, with what was meant', async () => {
  const unknown = await take('note.txt');
  expect(unknown.status).toBe(4);
  expect(unknown.stderr).toContain('did you mean "notes.txt"?');
});
