import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { chartImages, unreadInChart } from '../../../src/build/charts/chart-images.ts';
import { readChart } from '../../../src/build/charts/chart-archive.ts';
import { contentOf } from '../../../src/oci/content.ts';
import { packChart, type ChartParts } from '../../support/chart.ts';
import { elasticData } from '../../support/elastic-data.ts';

const CHART = { name: 'app', version: '1.0.0', appVersion: '2.0.0' };
const data = elasticData('images of the chart of the operator', 'eck-3.5.0/chart-eck-operator');

async function imagesOf(parts: Partial<ChartParts>): Promise<string[]> {
  const archive = await packChart({ chart: CHART, ...parts });
  return chartImages(await readChart(contentOf(archive).open(0), { where: 'app.tgz', code: 'CONFIG_INVALID' }));
}
const inValues = (values: NonNullable<ChartParts['values']>) => imagesOf({ values });
const inTemplate = (text: string) => imagesOf({ templates: { 'a.yaml': text } });

describe('images in values', () => {
  test.each<[string, string, readonly string[]]>([
    ['registry, image and tag', 'controller: { image: { registry: x.io, image: a/b, tag: "1" } }', ['x.io/a/b:1']],
    ['the same under another key', 'exporter: { registry: x.io, image: a/b, tag: "1" }', ['x.io/a/b:1']],
    [
      'registry, image and digest',
      `image: { registry: x.io, image: a/b, digest: ${digest('a')} }`,
      [`x.io/a/b:2.0.0@${digest('a')}`],
    ],
    ['repository, name and tag', 'image: { repository: x.io/a, name: b, tag: "1" }', ['x.io/a/b:1']],
    [
      'registry, repository, name and tag',
      'image: { registry: x.io, repository: a, name: b, tag: "1" }',
      ['x.io/a/b:1'],
    ],
    ['registry, name and tag', 'image: { registry: x.io, name: a/b, tag: "1" }', ['x.io/a/b:1']],
    ['a name that the repository ends with', 'image: { repository: x.io/a/b, name: b, tag: "1" }', ['x.io/a/b:1']],
    ['an image in an image', 'image: { image: "x.io/a:1" }', ['x.io/a:1']],
    ['an image that has its tag, and a registry', 'image: { registry: x.io, image: "a/b:1" }', ['x.io/a/b:1']],
    ['a repository and a tag', 'image: { repository: x.io/a/b, tag: "1.2" }', ['x.io/a/b:1.2']],
    ['no tag: that of the application', 'image: { repository: x.io/a/b }', ['x.io/a/b:2.0.0']],
    ['an empty tag', 'image: { repository: x.io/a/b, tag: "" }', ['x.io/a/b:2.0.0']],
    ['a tag that looks like a number', 'image: { repository: x.io/a/b, tag: 8 }', ['x.io/a/b:8']],
    ['a tag within the repository', 'image: { repository: "x.io:5000/a:3" }', ['x.io:5000/a:3']],
    ['a digest', `image: { repository: x.io/a, tag: 1.2.3, digest: ${digest('a')} }`, [`x.io/a:1.2.3@${digest('a')}`]],
    ['a registry', 'image: { registry: x.io, repository: a/b, tag: 1.2.3 }', ['x.io/a/b:1.2.3']],
    ['no host: that of Docker', 'image: { repository: nginx, tag: 1.2.3 }', ['docker.io/library/nginx:1.2.3']],
    ['a key that ends with image', 'initImage: { repository: x.io/a, tag: 1.2.3 }', ['x.io/a:1.2.3']],
    ['any depth, lists too', 'a: { b: [{ image: { repository: x.io/a, tag: 1.2.3 } }] }', ['x.io/a:1.2.3']],
    ['a text', 'image: x.io/a:1\nsidecarImage: "y.io/b:2"', ['x.io/a:1', 'y.io/b:2']],
    ['a text beside its tag', 'image: x.io/a\nimageTag: 7.17.3', ['x.io/a:7.17.3']],
    [
      'a map of images',
      'images: { a: { repository: x.io/a, tag: 1.2.3 }, b: "x.io/b:1" }',
      ['x.io/a:1.2.3', 'x.io/b:1'],
    ],
    ['a list of images', 'images: [x.io/a:1, { repository: x.io/b, tag: 1.2.3 }]', ['x.io/a:1', 'x.io/b:1.2.3']],
    ['the same twice', 'image: x.io/a:1\nb: { image: { repository: x.io/a, tag: 1 } }', ['x.io/a:1']],
  ])('%s', async (_, values, expected) => expect(await inValues(values)).toEqual(expected));

  test.each([
    'image: ""',
    'image:',
    'image: {}',
    'image: { repository: "", tag: 1.2.3 }',
    'image: { repository: "{{ .Values.x }}", tag: 1.2.3 }',
    'image: { pullPolicy: IfNotPresent, tag: 1.2.3 }',
    'image: { repository: x.io/a, tag: "not a tag" }',
    'image: nginx',
    'image: "{{ .Values.registry }}/a:1"',
    'image: true',
    'backgroundImage: "https://x.example/a.png"',
    'imagePullSecrets: [x.io/a:1]',
    'imagePullPolicy: a:1',
    'repository: x.io/a\ntag: 1.2.3',
    'git: { repository: https://x.example/a, tag: 1.2.3 }',
    'images: { digests: { a: 1 } }',
    '__proto__: { image: { tag: 1 } }',
  ])('not: %s', async (values) => expect(await inValues(values)).toEqual([]));

  test('a digest among images is no image', async () => {
    const values = `images: { repository: x.io/a, tag: 1.2.3, digest: ${digest('b')} }`;
    expect(await inValues(values)).toEqual([`x.io/a:1.2.3@${digest('b')}`]);
  });

  test('the registry that is set for all counts, but not where a name has its own', async () => {
    const values = {
      global: { imageRegistry: 'mirror.example:5000' },
      image: { registry: 'docker.io', repository: 'a/b', tag: '1' },
      otherImage: { repository: 'a/c', tag: '1' },
      fullImage: { repository: 'x.io/a/d', tag: '1' },
    };
    expect(await inValues(values)).toEqual(['mirror.example:5000/a/b:1', 'mirror.example:5000/a/c:1', 'x.io/a/d:1']);
    expect(await inValues({ ...values, global: { imageRegistry: '' } })).toEqual([
      'docker.io/a/b:1',
      'docker.io/a/c:1',
      'x.io/a/d:1',
    ]);
  });

  test('without a version of the application, what has no tag is the latest', async () => {
    const chart = { name: 'app', version: '1.0.0' };
    expect(await imagesOf({ chart, values: 'image: { repository: x.io/a }' })).toEqual(['x.io/a:latest']);
  });
});

describe('images in templates', () => {
  test.each([
    ['image: x.io/a:1', 'x.io/a:1'],
    ['      image: "x.io/a:1" # why', 'x.io/a:1'],
    ["    - image: 'x.io/a:1'", 'x.io/a:1'],
    ['  "image": "x.io/a:1"', 'x.io/a:1'],
    [`image: x.io/a@${digest('a')}\r`, `x.io/a@${digest('a')}`],
    ['image: busybox:1.36', 'docker.io/library/busybox:1.36'],
  ])('%j', async (line, expected) => {
    expect(await inTemplate(`kind: Pod\n${line}\nname: x\n`)).toEqual([expected]);
    expect(await inTemplate(line)).toEqual([expected]);
  });

  test.each([
    'image: {{ .Values.image }}',
    'image: "{{ .Values.registry }}/a:1"',
    'image: x.io/a:{{ .Chart.AppVersion }}',
    '# image: x.io/a:1',
    'image:\n  type: string',
    'image: string',
    'initImage: x.io/a:1',
    'description: the image: x.io/a:1',
  ])('not: %j', async (line) => expect(await inTemplate(`kind: Pod\n${line}\n`)).toEqual([]));

  test('not in what is only printed', async () => {
    expect(await imagesOf({ templates: { 'NOTES.txt': 'image: x.io/a:1' } })).toEqual([]);
    expect(await imagesOf({ templates: { '_pod.tpl': 'image: x.io/a:1' } })).toEqual(['x.io/a:1']);
  });
});

describe('images in the list for Artifact Hub', () => {
  const annotated = (list: string) => imagesOf({ chart: { ...CHART, annotations: { 'artifacthub.io/images': list } } });

  test('count', async () => {
    expect(await annotated('- name: a\n  image: x.io/a:1\n- image: x.io/b:2\n  platforms: [linux/amd64]\n')).toEqual([
      'x.io/a:1',
      'x.io/b:2',
    ]);
  });

  test.each(['a: [', '- x.io/a:1', 'text', ''])('do not where it is none: %j', async (list) => {
    expect(await annotated(list)).toEqual([]);
  });
});

describe('images of sub-charts', () => {
  const image = { repository: 'x.io/sub', tag: null };
  const sub = { chart: { name: 'sub', version: '1.0.0', appVersion: '3.0.0' }, values: { enabled: true, image } };
  const withSub = (dependency: object, values: Record<string, unknown> = {}, subcharts: ChartParts[] = [sub]) =>
    imagesOf({
      chart: { ...CHART, dependencies: [{ name: 'sub', version: '1.0.0', ...dependency }] },
      values,
      subcharts,
    });

  test('have the tags of their own application', async () => {
    expect(await imagesOf({ subcharts: [sub] })).toEqual(['x.io/sub:3.0.0']);
    expect(await withSub({})).toEqual(['x.io/sub:3.0.0']);
  });

  test('are those that the parent sets, and null takes a tag away', async () => {
    expect(await withSub({}, { sub: { image: { tag: '4' } } })).toEqual(['x.io/sub:4']);
    const tagged = { ...sub, values: { image: { ...image, tag: '5' } } };
    expect(await withSub({}, {}, [tagged])).toEqual(['x.io/sub:5']);
    expect(await withSub({}, { sub: { image: { tag: null } } }, [tagged])).toEqual(['x.io/sub:3.0.0']);
  });

  test('have the registry that the parent sets for all', async () => {
    const short = { ...sub, values: { image: { repository: 'sub' }, global: { imageRegistry: 'own.example' } } };
    expect(await withSub({}, {}, [short])).toEqual(['own.example/sub:3.0.0']);
    expect(await withSub({}, { global: { imageRegistry: 'all.example' } }, [short])).toEqual(['all.example/sub:3.0.0']);
  });

  test.each<[string, object, Record<string, unknown>, boolean]>([
    ['no condition', {}, { sub: { enabled: false } }, true],
    ['true', { condition: 'sub.enabled' }, { sub: { enabled: true } }, true],
    ['false', { condition: 'sub.enabled' }, { sub: { enabled: false } }, false],
    ["the sub-chart's own default", { condition: 'sub.enabled' }, {}, true],
    ['not there', { condition: 'sub.installed' }, {}, true],
    ['no boolean', { condition: 'sub.installed' }, { sub: { installed: 'false' } }, true],
    ['the first that is a boolean', { condition: 'a.b,c,d' }, { a: { b: {} }, c: false, d: true }, false],
    ['no space is skipped', { condition: 'a, c' }, { c: false }, true],
    ['the key of a prototype', { condition: '__proto__.enabled' }, {}, true],
    ['a tag that is off', { tags: ['back'] }, { tags: { back: false } }, false],
    ['one of the tags on', { tags: ['back', 'front'] }, { tags: { back: false, front: true } }, true],
    ['a condition above a tag', { condition: 'sub.enabled', tags: ['back'] }, { tags: { back: false } }, true],
  ])('are there as the condition says: %s', async (_, dependency, values, there) => {
    expect(await withSub(dependency, values)).toEqual(there ? ['x.io/sub:3.0.0'] : []);
  });

  test('come once for each alias, under the values of the alias', async () => {
    const dependencies = ['one', 'two', 'three'].map((alias) => ({
      name: 'sub',
      version: '1.0.0',
      alias,
      condition: `${alias}.enabled`,
    }));
    const values = { one: { image: { tag: '1' } }, two: { image: { tag: '2' } }, three: { enabled: false } };
    const images = await imagesOf({ chart: { ...CHART, dependencies }, values, subcharts: [sub] });
    expect(images).toEqual(['x.io/sub:1', 'x.io/sub:2']);
  });

  test('are switched off further down by values further up', async () => {
    const dependency = { name: 'sub', version: '1.0.0', condition: 'sub.enabled' };
    const middle = { chart: { name: 'middle', version: '1.0.0', dependencies: [dependency] }, subcharts: [sub] };
    const dependencies = [{ name: 'middle', version: '1.0.0' }];
    const parent = (values: Record<string, unknown>, chart: object = { dependencies }) =>
      imagesOf({ chart: { ...CHART, ...chart }, values, subcharts: [{ ...middle, packed: true }] });
    expect(await parent({})).toEqual(['x.io/sub:3.0.0']);
    const off = { middle: { sub: { enabled: false } } };
    expect(await parent(off)).toEqual([]);
    // Helm looks at no condition below a chart that declares no dependencies
    expect(await parent(off, {})).toEqual(['x.io/sub:3.0.0']);
  });
});

describe.runIf(data !== undefined)('the chart of the operator of ECK 3.5.0', () => {
  const read = (name: string): string => readFileSync(join(data ?? '', name), 'utf8');

  test('names the operator, and nothing else', async () => {
    const files = Object.fromEntries(readdirSync(data ?? '').map((name) => [name, read(name)]));
    const chart = load(read('Chart.yaml')) as ChartParts['chart'];
    expect(await imagesOf({ chart, files })).toEqual(['docker.elastic.co/eck/eck-operator:3.5.0']);
  });
});

function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

describe('the tag where it is left empty', () => {
  const values = 'image: { repository: x.io/a, tag: "" }';
  const with_ = (expression: string) =>
    imagesOf({ values, templates: { 'd.yaml': `image: "{{ .Values.image.repository }}:${expression}"` } });

  test.each([
    '{{ default (printf "v%s" .Chart.AppVersion) .Values.image.tag }}',
    '{{ .Values.image.tag | default (printf "v%s" .Chart.AppVersion) }}',
    '{{ .Values.image.tag | default (.Chart.AppVersion | printf "v%s") }}',
    'v{{ .Chart.AppVersion }}',
  ])('is the version with a v in front where the templates say so: %s', async (expression) => {
    expect(await with_(expression)).toEqual(['x.io/a:v2.0.0']);
  });

  test('is the version alone where they do not', async () => {
    expect(await with_('{{ .Values.image.tag | default .Chart.AppVersion }}')).toEqual(['x.io/a:2.0.0']);
  });
});

test('a name beside the repository is left out where the templates use the repository alone', async () => {
  const values = 'image: { repository: x.io/a, name: pull, tag: "1" }';
  const templates = { 'd.yaml': 'image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"' };
  expect(await imagesOf({ values, templates })).toEqual(['x.io/a:1']);
});

describe('a chart with containers and no image that was recognised is named', () => {
  const unread = async (parts: Partial<ChartParts>) => {
    const archive = await packChart({ chart: CHART, ...parts });
    return unreadInChart(await readChart(contentOf(archive).open(0), { where: 'app.tgz', code: 'CONFIG_INVALID' }));
  };
  const templates = { 'd.yaml': 'spec:\n  containers:\n  - image: {{ include "app.image" . }}\n' };

  test('itself, or a chart below it', async () => {
    expect(await unread({ templates })).toEqual([expect.stringContaining('the chart app')]);
    const below = { chart: { name: 'below', version: '1.0.0' }, templates };
    expect(await unread({ subcharts: [below] })).toEqual([expect.stringContaining('the chart below')]);
  });

  test('not where one was, and not without containers', async () => {
    expect(await unread({ templates, values: 'image: { repository: x.io/a, tag: "1" }' })).toEqual([]);
    expect(await unread({ templates: { 'c.yaml': 'kind: ConfigMap\n' } })).toEqual([]);
  });
});
