import { dump, load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { chartIndexes, findChart, indexUrl, parseIndex } from '../../../src/build/charts/chart-index.ts';
import { digestOf, hexOf } from '../../../src/core/digest.ts';
import { chartIndex, type PublishedChart } from '../../support/chart.ts';
import { mapWebFiles } from '../../support/map-web-files.ts';
import { rejected, thrown } from '../../support/thrown.ts';

const REPOSITORY = 'https://helm.example/stable';
const INDEX = `${REPOSITORY}/index.yaml`;
const ARCHIVE = Buffer.from('an archive');

function published(version: string, more: Partial<PublishedChart> = {}): PublishedChart {
  return { chart: { name: 'eck-operator', version }, archive: ARCHIVE, ...more };
}

const find = (text: string, version = '3.5.0', repository = REPOSITORY) =>
  findChart(parseIndex(text, INDEX), { name: 'eck-operator', version }, repository);
const findPublished = (more: Partial<PublishedChart>) => find(chartIndex(REPOSITORY, [published('3.5.0', more)]));

describe('a chart in an index', () => {
  test('is the archive of exactly that version, with its digest', () => {
    const charts = ['3.5.0', '3.5.0-rc.1', '3.4.1'].map((version) => published(version));
    const found = find(chartIndex(REPOSITORY, charts));
    expect(found).toEqual({
      version: '3.5.0',
      url: `${REPOSITORY}/eck-operator-3.5.0.tgz`,
      digest: digestOf(ARCHIVE),
    });
  });

  test('is found in JSON, and among keys that are not known', () => {
    const document = load(chartIndex(REPOSITORY, [published('3.5.0')])) as object;
    expect(find(JSON.stringify({ ...document, serverInfo: { contextPath: '/v1' } }))).toEqual(
      find(chartIndex(REPOSITORY, [published('3.5.0')])),
    );
  });

  test('is the version however it is written, where none is written so', () => {
    const [plain, other] = [published('3.5.0'), published('v3.5.0', { url: 'v.tgz' })];
    expect(find(chartIndex(REPOSITORY, [other, plain])).version).toBe('3.5.0');
    expect(find(chartIndex(REPOSITORY, [other])).version).toBe('v3.5.0');
    expect(find(chartIndex(REPOSITORY, [other, plain]), 'v3.5.0').version).toBe('v3.5.0');
  });

  test.each([
    [{ digest: `sha256:${hexOf(digestOf(ARCHIVE))}` }, digestOf(ARCHIVE)],
    [{ digest: hexOf(digestOf(ARCHIVE)).toUpperCase() }, digestOf(ARCHIVE)],
    [{ digest: null }, undefined],
    [{ digest: '' }, undefined],
  ])('has the digest that it is said to have, if any: %j', (more, digest) => {
    expect(findPublished(more).digest).toBe(digest);
  });

  test.each([
    ['eck.tgz', 'https://helm.example/stable', 'https://helm.example/stable/eck.tgz'],
    ['eck.tgz', 'https://helm.example/stable/', 'https://helm.example/stable/eck.tgz'],
    ['eck.tgz', 'https://helm.example', 'https://helm.example/eck.tgz'],
    ['../eck.tgz', 'https://helm.example/a/b', 'https://helm.example/a/eck.tgz'],
    ['/eck.tgz', 'https://helm.example/a/b', 'https://helm.example/eck.tgz'],
    ['eck.tgz', 'https://helm.example/a?token=x', 'https://helm.example/a/eck.tgz?token=x'],
    ['https://other.example/eck.tgz', 'https://helm.example/a?token=x', 'https://other.example/eck.tgz'],
  ])('lies at %s as seen from %s', (url, repository, expected) => {
    expect(find(chartIndex(repository, [published('3.5.0', { url })]), '3.5.0', repository).url).toBe(expected);
  });

  test.each([
    'ftp://x.example/a.tgz',
    'file:///etc/passwd',
    'https://me@x.example/a.tgz',
    'https://:secret@x.example/a.tgz',
    'javascript:1',
  ])('is not fetched from %s', (url) => expect(thrown(() => findPublished({ url })).code).toBe('URL_REFUSED'));

  test('that lies in a registry is to be taken from there', () => {
    const error = thrown(() => findPublished({ url: 'oci://registry.example/charts/eck-operator:3.5.0' }));
    expect(error.code).toBe('URL_REFUSED');
    expect(error.hint).toContain('registry.example/charts/eck-operator:3.5.0');
  });

  test('that is not there is named, with the newest versions that are', () => {
    const versions = ['\u001b[2J', '3.5.0', '3.10.0', '3.9.0', '3.8.0', '3.7.0', '2.16.1'];
    const text = chartIndex(
      REPOSITORY,
      versions.map((version) => published(version)),
    );
    const error = thrown(() => find(text, '3.6.0'));
    expect(error.code).toBe('CONTENT_MISSING');
    expect(error.message).toContain(`${INDEX} has no version 3.6.0 of eck-operator`);
    expect(error.details['versions']).toEqual(['3.10.0', '3.9.0', '3.8.0', '3.7.0', '3.5.0']);
    expect(thrown(() => find(chartIndex(REPOSITORY, []))).code).toBe('CONTENT_MISSING');
  });

  test.each(['__proto__', 'constructor', 'toString'])('named %s is not there either', (name) => {
    const index = parseIndex(chartIndex(REPOSITORY, []), INDEX);
    expect(thrown(() => findChart(index, { name, version: '1.0.0' }, REPOSITORY)).code).toBe('CONTENT_MISSING');
  });

  test.each([
    ['no URL', { version: '3.5.0' }],
    ['an empty list of URLs', { version: '3.5.0', urls: [] }],
    ['a URL that is none', { version: '3.5.0', urls: [{}] }],
    ['a digest that is none', { version: '3.5.0', urls: ['a.tgz'], digest: 'abc' }],
  ])('with %s is refused', (_, entry) => {
    const text = dump({ apiVersion: 'v1', entries: { 'eck-operator': [entry] } });
    expect(thrown(() => find(text)).code).toBe('MANIFEST_INVALID');
  });

  test.each(['http://[', '//[x', 'https://a:99999/x', '//', 'http://', 'https:// /a.tgz'])(
    'at %j, which is not a URL, is refused by the name of the index',
    (url) => {
      const error = thrown(() => findPublished({ url }));
      expect(error.code).toBe('MANIFEST_INVALID');
      expect(error.message).toContain(INDEX);
    },
  );

  test('is found beside entries that are wrong, as in Helm', () => {
    const entries = [null, 'text', { version: 1 }, {}, { version: '3.5.0', urls: ['a.tgz'] }];
    expect(find(dump({ apiVersion: 'v1', entries: { 'eck-operator': entries } })).url).toBe(`${REPOSITORY}/a.tgz`);
  });
});

describe('an index', () => {
  test.each([
    ['a page', '<html><body>sign in</body></html>'],
    ['nothing', ''],
    ['no YAML', 'entries: ['],
    ['a list', '- a'],
    ['another format', 'apiVersion: v2\nentries: {}'],
    ['no entries', 'apiVersion: v1'],
    ['entries that are a list', 'apiVersion: v1\nentries: []'],
  ])('that is none is named by its address: %s', (_, text) => {
    const error = thrown(() => parseIndex(text, INDEX));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain(INDEX);
  });

  test.each([
    ['https://helm.example', 'https://helm.example/index.yaml'],
    ['https://helm.example/a/', 'https://helm.example/a/index.yaml'],
    ['https://helm.example/a?token=x', 'https://helm.example/a/index.yaml?token=x'],
  ])('of %s lies at %s', (repository, url) => expect(indexUrl(repository)).toBe(url));

  test('is read once, whoever asks and however the repository is written', async () => {
    const web = mapWebFiles({ [INDEX]: chartIndex(REPOSITORY, [published('3.5.0')]) });
    const indexes = chartIndexes(web);
    const read = await Promise.all([
      indexes.read(REPOSITORY),
      indexes.read(`${REPOSITORY}/`),
      indexes.read(REPOSITORY),
    ]);
    expect(new Set(read).size).toBe(1);
    expect(web.requests).toEqual([INDEX]);
  });

  test('that is not there says so', async () => {
    expect((await rejected(chartIndexes(mapWebFiles()).read(REPOSITORY))).code).toBe('CONTENT_MISSING');
  });
});
