import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readChart } from '../../../src/build/charts/chart-archive.ts';
import type { Origin } from '../../../src/build/kubernetes-yaml.ts';
import { AirgapError } from '../../../src/core/errors.ts';
import type { ByteStream } from '../../../src/core/streams.ts';
import { contentOf } from '../../../src/oci/content.ts';
import { packChart, packEntries, tarOf, type ArchiveEntry, type ChartParts } from '../../support/chart.ts';
import { randomBytes } from '../../support/random-image.ts';
import { rejected } from '../../support/thrown.ts';

const ORIGIN: Origin = { where: 'eck.tgz', code: 'CONFIG_INVALID' };
const CHART = { name: 'eck', version: '1.2.3' };
const MIB = 1024 * 1024;

const read = (archive: Buffer) => readChart(contentOf(archive).open(0), ORIGIN);
const readParts = async (parts: Partial<ChartParts>) => read(await packChart({ chart: CHART, ...parts }));
const YAML: ArchiveEntry = { path: 'eck/Chart.yaml', content: 'name: eck\nversion: 1.2.3\n' };

describe('a packaged chart', () => {
  test('has its metadata, values and templates', async () => {
    const chart = await readParts({
      chart: { ...CHART, appVersion: '9.5.2', description: 'd' },
      values: { image: { repository: 'x/y', tag: null } },
      templates: { 'deployment.yaml': 'kind: {{ .Values.kind }}', 'tests/pod.yaml': 'kind: Pod', 'NOTES.txt': 'hello' },
      files: { 'README.md': 'image: not/read:1', 'crds/a.yaml': 'image: not/read:1' },
    });
    expect(chart.metadata).toMatchObject({ apiVersion: 'v2', ...CHART, appVersion: '9.5.2', description: 'd' });
    expect(chart.values).toEqual({ image: { repository: 'x/y', tag: null } });
    expect([...chart.templates]).toEqual([
      ['templates/deployment.yaml', 'kind: {{ .Values.kind }}'],
      ['templates/tests/pod.yaml', 'kind: Pod'],
      ['templates/NOTES.txt', 'hello'],
    ]);
    expect(chart.charts).toEqual([]);
  });

  test('has the sub-charts in its folder charts, be they folders or archives, in turn with theirs', async () => {
    const leaf = { chart: { name: 'leaf', version: '3.0.0' }, templates: { 'a.yaml': 'a' } };
    const chart = await readParts({
      subcharts: [
        { chart: { name: 'packed', version: '1.0.0' }, packed: true, values: { a: 1 }, subcharts: [leaf] },
        { chart: { name: 'folder', version: '2.0.0' }, values: { b: 1 }, subcharts: [{ ...leaf, packed: true }] },
      ],
      files: { 'charts/_skipped/Chart.yaml': 'nothing', 'charts/.hidden/values.yaml': 'x: [', 'charts/README.md': 'x' },
    });
    const [folder, packed] = chart.charts;
    expect(chart.charts.map(({ metadata }) => metadata.name)).toEqual(['folder', 'packed']);
    expect([folder?.values, packed?.values]).toEqual([{ b: 1 }, { a: 1 }]);
    for (const below of chart.charts) {
      expect(below.charts.map(({ metadata }) => metadata.name)).toEqual(['leaf']);
      expect([...(below.charts[0]?.templates ?? [])]).toEqual([['templates/a.yaml', 'a']]);
    }
  });

  test('is the same in whatever pieces it comes', async () => {
    const archive = await packChart({ chart: CHART, values: { a: 'x'.repeat(5000) }, templates: { 'a.yaml': 'a' } });
    const bytewise = async function* (): ByteStream & AsyncGenerator<Buffer> {
      for (let i = 0; i < archive.byteLength; i++) yield archive.subarray(i, i + 1);
    };
    expect(await readChart(bytewise(), ORIGIN)).toEqual(await read(archive));
  });

  test('reads YAML as Helm does: text from numbers, yes and no, the last of two keys, no nulls, documents merged', async () => {
    const chart = await read(
      packEntries([
        { path: 'eck/Chart.yaml', content: 'name: eck\nversion: 1.0\nappVersion: 1.10\nhome:\nkeywords: [1, yes]\n' },
        { path: 'eck/values.yaml', content: 'a: yes\nb: 1\nb: 2\nc: { d: 1 }\n---\nc: { e: 2 }\n' },
      ]),
    );
    expect(chart.metadata).toEqual({
      apiVersion: 'v1',
      name: 'eck',
      version: '1',
      appVersion: '1.1',
      keywords: ['1', 'true'],
    });
    expect(chart.values).toEqual({ a: true, b: 2, c: { d: 1, e: 2 } });
  });

  test('of the first format declares its dependencies in a file of their own', async () => {
    const requirements = 'dependencies: [{ name: a, version: 1.0.0, repository: "https://x.example" }]';
    const chart = await readParts({ files: { 'requirements.yaml': requirements } });
    expect(chart.metadata.dependencies).toEqual([{ name: 'a', version: '1.0.0', repository: 'https://x.example' }]);
  });

  test('made on Windows may have backslashes in its paths', async () => {
    const entries = [
      { ...YAML, path: 'eck\\Chart.yaml' },
      { path: 'eck\\templates\\a.yaml', content: 'a' },
    ];
    expect([...(await read(packEntries(entries))).templates.keys()]).toEqual(['templates/a.yaml']);
  });

  test('takes no key for a prototype', async () => {
    const chart = await readParts({
      values: '__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n',
    });
    expect(Object.keys(chart.values)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(chart.values)).toBe(Object.prototype);
  });

  test('ends with the error of its stream', async () => {
    const breaking = async function* (): ByteStream & AsyncGenerator<Buffer> {
      yield (await packChart({ chart: CHART })).subarray(0, 50);
      throw new AirgapError('REGISTRY_UNREACHABLE', 'gone');
    };
    expect((await rejected(readChart(breaking(), ORIGIN))).code).toBe('REGISTRY_UNREACHABLE');
  });
});

describe('what is no chart', () => {
  const entry = (path: string, more: Partial<ArchiveEntry> = {}): Buffer =>
    packEntries([YAML, { path, content: 'x', ...more }]);
  const link = (type: 'Link' | 'SymbolicLink'): Buffer =>
    entry('eck/values.yaml', { content: '', type, linkpath: '/etc/passwd' });
  const chartYaml = (content: string): Buffer => packEntries([{ path: 'eck/Chart.yaml', content }]);
  const long = { path: 'eck/templates/a.yaml', content: randomBytes('cut', 3000) };

  test.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['text', () => Buffer.from('apiVersion: v2'), 'incorrect header check'],
    ['nothing', () => Buffer.alloc(0), 'unexpected end of file'],
    ['gzip of text', () => gzipSync('apiVersion: v2'), 'not a packaged chart'],
    ['gzip of nothing', () => gzipSync(''), 'not a packaged chart'],
    ['gzip of a chart', () => gzipSync(packEntries([YAML])), 'not a packaged chart'],
    ['a plain tar', () => tarOf([YAML]), 'incorrect header check'],
    ['cut off', () => packEntries([YAML, long]).subarray(0, 1500), 'unexpected end of file'],
    ['cut off within gzip', () => gzipSync(tarOf([YAML, long]).subarray(0, 3000)), 'Truncated'],
    ['a header that is damaged', () => gzipSync(damaged(tarOf([YAML, long]), 1024 + 5)), 'checksum'],
    ['no Chart.yaml', () => packEntries([{ path: 'eck/values.yaml' }]), 'it has no Chart.yaml'],
    ['Chart.yaml in no folder', () => packEntries([{ ...YAML, path: 'Chart.yaml' }]), 'no path below the folder'],
    ['a symbolic link', () => link('SymbolicLink'), 'neither a file nor a folder'],
    ['a hard link', () => link('Link'), 'neither a file nor a folder'],
    ['a device', () => entry('eck/x', { type: 'CharacterDevice', content: '' }), 'neither a file nor a folder'],
    ['a pipe', () => entry('eck/x', { type: 'FIFO', content: '' }), 'neither a file nor a folder'],
    ['an absolute path', () => entry('/eck/values.yaml'), 'no path below the folder'],
    ['a way out', () => entry('eck/templates/../../x'), 'no path below the folder'],
    ['a way out at the top', () => entry('../eck/x'), 'no path below the folder'],
    ['a way out with backslashes', () => entry('eck\\..\\x'), 'no path below the folder'],
    ['a path that a terminal obeys', () => entry('eck/\u001b[2J'), '"eck/\\u001b[2J" is no path below the folder'],
    [
      'a kind of entry that nobody knows',
      () => gzipSync(retyped(tarOf([YAML, long]), 1024, 'Z')),
      'neither a file nor',
    ],
    ['a drive', () => entry('eck/c:/x'), 'no path below the folder'],
    ['a file twice', () => packEntries([YAML, YAML]), 'twice'],
    ['a file twice by another path', () => packEntries([YAML, { ...YAML, path: 'other/./Chart.yaml' }]), 'twice'],
    ['Chart.yaml that is a list', () => chartYaml('- a'), 'Chart.yaml of eck.tgz'],
    ['Chart.yaml that is no YAML', () => chartYaml('a: ['), 'Chart.yaml of eck.tgz is not YAML: line 1'],
    ['no name', () => chartYaml('version: 1.0.0'), 'name'],
    ['a name that is a path', () => chartYaml('name: ../x\nversion: 1.0.0'), 'is no name'],
    ['no version', () => chartYaml('name: x'), 'version'],
    ['a version that is none', () => chartYaml('name: x\nversion: latest'), 'is no version'],
    ['a description that is a list', () => chartYaml('name: x\nversion: 1.0.0\ndescription: [a]'), 'description'],
    ['values that are a list', () => entry('eck/values.yaml', { content: '- a' }), 'values.yaml of eck.tgz'],
    [
      'a sub-chart that is none',
      () => entry('eck/charts/a/values.yaml', { content: '' }),
      'charts/a of eck.tgz is no chart',
    ],
    [
      'a packed sub-chart that is none',
      () => entry('eck/charts/a.tgz'),
      'charts/a.tgz of eck.tgz is not a packaged chart',
    ],
  ])('is refused: %s', async (_, archive, why) => {
    const error = await rejected(Promise.resolve(archive()).then(read));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(why);
  });

  test('is another fault where a server sent it', async () => {
    const served: Origin = { where: 'https://x.example/eck.tgz', code: 'MANIFEST_INVALID' };
    const error = await rejected(readChart(contentOf(Buffer.from('no')).open(0), served));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain('https://x.example/eck.tgz is not a packaged chart');
  });

  test.each<[string, () => Buffer | Promise<Buffer>, string]>([
    ['a file that no chart needs', () => entry('eck/values.yaml', { content: Buffer.alloc(5 * MIB + 1) }), 'more than'],
    ['a bomb', () => entry('eck/filler', { content: Buffer.alloc(129 * MIB) }), 'unpacks to too much'],
    ['a bomb behind the end', () => gzipSync(Buffer.concat([tarOf([YAML]), Buffer.alloc(129 * MIB)])), 'too much'],
    ['a bomb in a bomb', () => gzipSync(gzipSync(Buffer.alloc(200 * MIB))), 'not a packaged chart'],
    ['bombs side by side', () => sideBySide(5), 'unpacks to too much'],
    ['too many files', () => packEntries([YAML, ...numbered(20_001)]), 'too many files'],
    [
      'a Chart.yaml too large for a manifest',
      () => chartYaml(`name: x\nversion: 1.0.0\nx: ${'x'.repeat(MIB)}`),
      'Chart.yaml of',
    ],
    ['sub-charts too deep', () => nested(9), 'sub-charts more than'],
    ['sub-charts that multiply by aliases', () => multiplied(), 'comes to more than'],
    [
      'aliases that multiply',
      () =>
        chartYaml(
          `name: x\nversion: 1.0.0\nannotations:\n  a: &a ${'x'.repeat(MIB / 2)}\n${Array.from({ length: 500 }, (__, i) => `  k${i}: *a\n`).join('')}`,
        ),
      'too large',
    ],
  ])('is refused before it takes memory: %s', async (_, archive, why) => {
    const error = await rejected(Promise.resolve(archive()).then(read));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain(why);
  });
});

function damaged(bytes: Buffer, at: number): Buffer {
  bytes[at] = 255 - (bytes[at] ?? 0);
  return bytes;
}

/** Another type of entry in the header at `at`, and the checksum that follows from it. */
function retyped(tar: Buffer, at: number, type: string): Buffer {
  const header = tar.subarray(at, at + 512);
  header.write(type, 156);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(sum.toString(8).padStart(6, '0'), 148);
  return tar;
}

function numbered(count: number): ArchiveEntry[] {
  return Array.from({ length: count }, (_, i) => ({ path: `eck/files/${i}` }));
}

/** Packed sub-charts, each of which is within every limit. */
async function sideBySide(count: number): Promise<Buffer> {
  const filler = { filler: Buffer.alloc(30 * MIB) };
  const subcharts = Array.from({ length: count }, (_, i) => ({
    chart: { name: `sub${i}`, version: '1.0.0' },
    packed: true,
    files: filler,
  }));
  return packChart({ chart: CHART, subcharts });
}

async function nested(depth: number): Promise<Buffer> {
  let parts: ChartParts = { chart: { name: 'leaf', version: '1.0.0' } };
  for (let i = 0; i < depth; i++)
    parts = { chart: { name: `level${i}`, version: '1.0.0' }, subcharts: [{ ...parts, packed: true }] };
  return packChart(parts);
}

/** Three levels, each with ten aliases for the next: 1111 charts of four. */
async function multiplied(): Promise<Buffer> {
  let parts: ChartParts = { chart: { name: 'leaf', version: '1.0.0' } };
  for (let i = 0; i < 3; i++) {
    const { name } = parts.chart;
    const dependencies = Array.from({ length: 10 }, (_, alias) => ({ name, version: '1.0.0', alias: `a${alias}` }));
    parts = { chart: { name: `level${i}`, version: '1.0.0', dependencies }, subcharts: [parts] };
  }
  return packChart(parts);
}
