import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { imagesInFile, imagesInManifest } from '../../src/build/named-images.ts';
import { formatReference, parseReference } from '../../src/oci/reference.ts';
import { elasticData } from '../support/elastic-data.ts';
import { thrown } from '../support/thrown.ts';

const eck = elasticData("images of ECK's own manifests", 'eck-3.5.0');

const pod = (image: string): string =>
  `apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, image: "${image}" }] }\n`;
const OBJECT = 'apiVersion: v1\nkind: ConfigMap\n';
const images = (text: string): string[] => imagesInManifest(text, 'operator.yaml');

describe('images in manifests', () => {
  test('are those of the containers of every pod template, each once, sorted, in full', () => {
    const text = `
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      initContainers: [{ name: setup, image: busybox }]
      containers:
        - { name: b, image: docker.elastic.co/beats/filebeat:9.5.2 }
        - { name: a, image: "nginx:1.30" }
        - { name: again, image: docker.io/library/nginx:1.30 }
---
apiVersion: batch/v1
kind: CronJob
spec: { jobTemplate: { spec: { template: { spec: { ephemeralContainers: [{ image: quay.io/x/debug:1 }] } } } } }
`;
    expect(images(text)).toEqual([
      'docker.elastic.co/beats/filebeat:9.5.2',
      'docker.io/library/busybox:latest',
      'docker.io/library/nginx:1.30',
      'quay.io/x/debug:1',
    ]);
  });

  test('are those of image volumes', () => {
    const volumes = '[{ name: a, image: { reference: quay.io/x/data:2 } }, { name: b, emptyDir: {} }]';
    expect(images(`apiVersion: v1\nkind: Pod\nspec: { volumes: ${volumes} }`)).toEqual(['quay.io/x/data:2']);
  });

  test("are what a resource of ECK's sets, beside its pod template", () => {
    const text = `
apiVersion: elasticsearch.k8s.elastic.co/v1
kind: Elasticsearch
spec:
  version: 9.5.2
  image: registry.example:5000/own/elasticsearch:9.5.2
  nodeSets:
    - podTemplate: { spec: { containers: [{ name: elasticsearch }, { name: side, image: side.example/car:1 }] } }
`;
    expect(images(text)).toEqual(['registry.example:5000/own/elasticsearch:9.5.2', 'side.example/car:1']);
  });

  test('are found in a List, and in one within it', () => {
    const pod = 'apiVersion: v1, kind: Pod, spec: { containers: [{ image: quay.io/x/y:1 }] }';
    const kibana = 'apiVersion: kibana.k8s.elastic.co/v1, kind: Kibana, spec: { image: quay.io/x/kibana:1 }';
    const list = (items: string): string => `{ apiVersion: v1, kind: List, items: [${items}] }`;
    expect(images(list(`{ ${pod} }, ${list(`{ ${kibana} }`)}`))).toEqual(['quay.io/x/kibana:1', 'quay.io/x/y:1']);
  });

  test('are not what merely has such a key', () => {
    const spec =
      '{ image: { type: string }, containers: { image: a:1 }, volumes: [{ image: b:1 }], x: [{ image: c:1 }] }';
    expect(images(`${OBJECT}spec: ${spec}\ndata: { image: "d:1" }`)).toEqual([]);
    expect(images(`${OBJECT}spec: { containers: [{ image: "" }, { image: 1 }, null, text] }`)).toEqual([]);
    const crd = 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n';
    expect(images(`${crd}spec: { image: a:1, default: { containers: [{ image: a:1 }] } }`)).toEqual([]);
  });

  test('come out of empty documents and merged anchors, too', () => {
    const text = `---\n# nothing\n---\n${OBJECT}x: &c { image: quay.io/x/y:1 }\nspec: { containers: [{ <<: *c, name: z }] }\n`;
    expect(images(text)).toEqual(['quay.io/x/y:1']);
  });
});

describe('what is no manifest', () => {
  test.each([
    ['no YAML', 'a: [', 'operator.yaml is not YAML: line 1'],
    ['a template', `${OBJECT}data: {{ .Values.x }}`, 'is not YAML'],
    ['empty', '# nothing\n', 'it is empty'],
    ['a list', '- a', 'no apiVersion and kind'],
    ['text beside objects', `${OBJECT}---\nhello`, 'no apiVersion and kind'],
    ['other YAML', 'name: x', 'no apiVersion and kind'],
    ['a page of a server', '<html><body>sign in</body></html>', 'no apiVersion and kind'],
    ['an image that is none', `${OBJECT}spec: { containers: [{ image: "\${IMAGE}" }] }`, '"${IMAGE}"'],
    ['aliases that grow', bomb(), 'is too large'],
    ['aliases in a circle', `${OBJECT}a: &a { b: *a }`, 'is too large'],
    ['more nodes than any manifest', `${OBJECT}a: [${'[],'.repeat(2_100_000)}]`, 'is too large'],
  ])('is refused where it was published as one: %s', (_, text, why) => {
    const error = thrown(() => images(text));
    expect(error.code).toBe('MANIFEST_INVALID');
    expect(error.message).toContain(why);
  });

  test.each(['a: [', `${OBJECT}data: {{ .Values.x }}`, '', '- a', 'name: x', bomb()])(
    'names no images where it is a file of the user: %#',
    (text) => expect(imagesInFile(text).images).toEqual([]),
  );

  test('does not hide the images beside it in a file of the user', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nspec: { containers: [{ image: "${IMAGE}" }, { image: quay.io/x/y:1 }] }';
    expect(imagesInFile(`some: values\n---\n${pod}`).images).toEqual(['quay.io/x/y:1']);
  });

  test.each([
    ['YAML with a tab', 'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n', /^is not YAML: line 4/],
    ['a placeholder', pod('${REGISTRY}/x:1'), /^names "\$\{REGISTRY\}\/x:1", which is no reference/],
    ['upper case', pod('a.example/Tools/X:1'), /^names "a.example\/Tools\/X:1", which is no reference/],
    [
      'a kustomization without a tag',
      'images: [{ name: a, newName: a.example/b }]\nkind: Kustomization\napiVersion: x',
      /^names "a.example\/b:/,
    ],
    ['aliases that grow', bomb(), /too large/],
  ])('is named as not read in a file of the user: %s', (_case, text, why) => {
    expect(imagesInFile(text)).toEqual({ images: [], unread: [expect.stringMatching(why)] });
  });

  test.each([
    [
      'a byte order mark between joined files',
      `${pod('a.example/x:1')}---\n\ufeff${pod('a.example/y:1')}`,
      ['a.example/x:1', 'a.example/y:1'],
    ],
    [
      'one without a separator',
      `${pod('a.example/x:1')}\ufeff${pod('a.example/y:1')}`,
      ['a.example/x:1', 'a.example/y:1'],
    ],
    [
      'JSON',
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ image: 'a.example/x:1' }] } }, null, '\t'),
      ['a.example/x:1'],
    ],
    [
      'the images that an operator is related to',
      'apiVersion: a\nkind: ClusterServiceVersion\nspec: { relatedImages: [{ name: a, image: a.example/x:1 }] }',
      ['a.example/x:1'],
    ],
    [
      'the variables that name them',
      'apiVersion: v1\nkind: Pod\nspec: { containers: [{ env: [{ name: RELATED_IMAGE_X, value: "a.example/x:1" }, { name: Y, value: "a.example/y:1" }] }] }',
      ['a.example/x:1'],
    ],
    [
      'a kustomization',
      'apiVersion: a\nkind: Kustomization\nimages: [{ name: x, newName: a.example/x, newTag: 9.5.2 }, { name: a.example/y, newTag: "1" }]',
      ['a.example/x:9.5.2', 'a.example/y:1'],
    ],
    [
      'a kustomization that does not say so',
      'resources: [a.yaml]\nimages: [{ name: a.example/x, newTag: v1 }]',
      ['a.example/x:v1'],
    ],
  ])('is no obstacle to the images in a file of the user: %s', (_case, text, expected) => {
    expect(imagesInFile(text)).toEqual({ images: expected, unread: [] });
  });

  test('takes nothing from a key that is the name of a prototype', () => {
    expect(
      imagesInFile('__proto__: { apiVersion: v1, kind: Pod, spec: { containers: [{ image: a:1 }] } }').images,
    ).toEqual([]);
    expect(imagesInFile(`${OBJECT}spec: { __proto__: { image: a:1 } }`).images).toEqual([]);
    expect(Object.hasOwn(Object.prototype, 'image')).toBe(false);
  });
});

describe.runIf(eck !== undefined)("ECK's own manifests", () => {
  const read = (path: string): string => readFileSync(join(eck ?? '', path), 'utf8');

  test('its custom resource definitions name no image, though their schemas speak of many', () => {
    expect(read('crds.yaml')).toMatch(/^ +image:$/m);
    expect(images(read('crds.yaml'))).toEqual([]);
  });

  test('each example names what a plain search for the key finds', () => {
    const paths = readdirSync(join(eck ?? '', 'examples'), { recursive: true, encoding: 'utf8' });
    const files = paths.filter((path) => /\.ya?ml$/.test(path)).map((path) => read(join('examples', path)));
    const found = files.filter((text) => isKubernetes(text)).map((text) => [images(text), searched(text)]);
    expect(found.length).toBeGreaterThan(20);
    for (const [walked, expected] of found) expect(walked).toEqual(expected);
    expect(found.flatMap(([walked]) => walked)).not.toEqual([]);
  });
});

/** A few hundred characters that stand for 9 to the power of 9 items. */
function bomb(): string {
  const names = Array.from({ length: 9 }, (_, i) => `list${i}`);
  const lists = names.map(
    (name, i) =>
      `${name}: &${name} [${Array(9)
        .fill(i === 0 ? '1' : `*${names[i - 1]!}`)
        .join(',')}]`,
  );
  return `${OBJECT}${lists.join('\n')}\n`;
}

function isKubernetes(text: string): boolean {
  return !text.includes('{{') && loadAll(text).every((document) => document === null || 'kind' in (document as object));
}

/** By the text alone: the values of all keys `image`. */
function searched(text: string): string[] {
  const values = [...text.matchAll(/^[ -]*image: +["']?([^\s"'#]+)/gm)].map(([, image = '']) => image);
  return [...new Set(values.map((image) => formatReference(parseReference(image))))].sort();
}
