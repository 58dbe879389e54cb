// The keys of airgap.yaml. What each description says is what editors show (docs/schema), what docs/airgap-yaml.md lists, and
// what "init" writes as a comment; the first of a key's examples is what "init" writes, commented out, where it sets none.
import * as v from 'valibot';
import { API_VERSION, BundleName, FileName } from './manifest.ts';
import * as value from './spec-values.ts';

/** Another registry's builds, carried under the names that they stand in for. */
const SourceSchema = v.strictObject({
  registry: v.pipe(
    value.NamePrefix,
    v.metadata({
      description: 'The registry, with a path where it has one. Credentials come from the usual files, by host.',
      examples: ['registry1.dso.mil', 'registry.example/rebuilt'],
    }),
  ),
  layout: v.optional(
    v.pipe(
      v.picklist(['prefix', 'iron-bank']),
      v.description(
        '"prefix": the same paths below the registry. "iron-bank": the paths of Iron Bank there, for linux/amd64 alone.',
      ),
    ),
    'prefix',
  ),
});

const IgnoredImages = v.exactOptional(
  v.pipe(
    v.array(v.pipe(v.string(), v.title('image'))),
    v.metadata({
      description: 'Images that it names and that are not to be carried.',
      examples: [['registry.example/ours/optional:1.0']],
    }),
  ),
);

const FileSchema = v.pipe(
  v.strictObject({
    name: v.exactOptional(
      v.pipe(
        FileName,
        v.metadata({
          description: 'What "eck-airgap export" knows it by; the last part of the path or URL by default.',
          examples: ['dashboards.ndjson'],
        }),
      ),
    ),
    path: v.exactOptional(
      v.pipe(
        value.FilePath,
        v.metadata({ description: 'A file beside airgap.yaml, or an absolute path.', examples: ['./dashboards.ndjson'] }),
      ),
    ),
    url: v.exactOptional(
      v.pipe(
        value.WebAddress,
        v.metadata({
          description: 'Where it is downloaded from, instead of "path"; its host may have a mirror.',
          examples: ['https://downloads.example/tool-1.0.tgz'],
        }),
      ),
    ),
    digest: v.exactOptional(
      v.pipe(
        value.ContentDigest,
        v.metadata({ description: 'What its content must be.', examples: [`sha256:${'0123456789abcdef'.repeat(4)}`] }),
      ),
    ),
    ignoreImages: IgnoredImages,
  }),
  v.check(({ path, url }) => (path === undefined) !== (url === undefined), 'has not exactly one of "path" and "url"'),
  v.metadata({ oneOf: [{ required: ['path'] }, { required: ['url'] }] }),
);

const ChartSchema = v.pipe(
  v.strictObject({
    path: v.exactOptional(
      v.pipe(
        value.FilePath,
        v.metadata({
          description: 'A packaged chart beside airgap.yaml, or an absolute path.',
          examples: ['./app-1.2.3.tgz'],
        }),
      ),
    ),
    repository: v.exactOptional(
      v.pipe(
        value.WebAddress,
        v.metadata({
          description: 'URL of a chart repository, instead of "path": where its index.yaml lies.',
          examples: ['https://charts.example'],
        }),
      ),
    ),
    name: v.exactOptional(
      v.pipe(v.string(), v.metadata({ description: 'Name of the chart in the repository.', examples: ['app'] })),
    ),
    version: v.exactOptional(
      v.pipe(v.string(), v.metadata({ description: 'Version of the chart in the repository.', examples: ['1.2.3'] })),
    ),
    ignoreImages: IgnoredImages,
  }),
  v.check(
    ({ path, repository, name, version }) =>
      [repository, name, version].every((key) => (path === undefined) === (key !== undefined)),
    'has not either "path", or "repository", "name" and "version"',
  ),
  v.metadata({ oneOf: [{ required: ['path'] }, { required: ['repository', 'name', 'version'] }] }),
);

const SignatureRuleSchema = v.union([
  v.literal('none'),
  v.strictObject({
    key: v.pipe(
      value.FilePath,
      v.metadata({ description: 'A public key (PEM) beside airgap.yaml.', examples: ['./ours.pub'] }),
    ),
  }),
]);

/** What the catalogue of Elastic's images is asked for; its names and versions are for the catalogue to check. */
const ElasticSchema = v.strictObject({
  eck: v.pipe(value.VersionText, v.metadata({ description: 'Version of the ECK operator.', examples: ['3.5.0'] })),
  stack: v.exactOptional(
    v.pipe(
      v.array(value.VersionText),
      v.minLength(1),
      v.metadata({
        description: 'Versions of the Stack; several where the enclave goes from one to the next.',
        examples: [['9.5.2'], ['8.19.20', '9.5.2']],
      }),
    ),
  ),
  components: v.exactOptional(
    v.pipe(
      v.array(
        v.union([
          value.ComponentName,
          v.strictObject({
            name: value.ComponentName,
            version: v.exactOptional(
              v.pipe(
                value.VersionText,
                v.metadata({ description: 'In place of those that it would follow.', examples: ['8.19.20'] }),
              ),
            ),
          }),
        ]),
      ),
      v.metadata({
        description: 'What is run: names, or names with a version in place of the Stack\'s. The operator always comes along.',
        examples: [['elasticsearch', 'kibana', { name: 'filebeat', version: '8.19.20' }]],
      }),
    ),
  ),
  flavour: v.exactOptional(
    v.pipe(
      value.FlavourName,
      v.metadata({
        description: 'Which build of the images; what has no build of a flavour is taken in the default one.',
        default: 'default',
        examples: ['ubi'],
      }),
    ),
  ),
  packageRegistry: v.exactOptional(
    v.pipe(
      value.PackageRegistryMode,
      v.metadata({
        description:
          'Of the component package-registry: all packages of integrations ("full"), or the small set that ECK takes by default ("lite").',
        default: 'lite',
        examples: ['full'],
      }),
    ),
  ),
  monitoring: v.exactOptional(
    v.pipe(
      v.boolean(),
      v.metadata({
        description: 'Whether the images of Stack monitoring come along for what can be monitored: Metricbeat and Filebeat.',
        default: true,
        examples: [false],
      }),
    ),
  ),
  diagnostics: v.exactOptional(
    v.pipe(
      v.union([v.literal(true), value.VersionText]),
      v.metadata({
        description: 'Carries the images that eck-diagnostics runs: those of its newest known version, or of one.',
        examples: [true, '1.11.0'],
      }),
    ),
  ),
  catalogue: v.exactOptional(
    v.pipe(
      value.FilePath,
      v.metadata({
        description: 'A catalogue file of your own: versions, components and images that came after this release.',
        examples: ['./catalogue.yaml'],
      }),
    ),
  ),
  licence: v.exactOptional(
    v.pipe(
      value.FilePath,
      v.metadata({
        description: 'The licence file that Elastic sent; carried as licence.json.',
        examples: ['./licence.json'],
      }),
    ),
  ),
});

export const BundleSpecSchema = v.pipe(
  v.strictObject({
    apiVersion: v.pipe(v.literal(API_VERSION), v.description('The format of this file.')),
    kind: v.pipe(v.literal('BundleSpec'), v.description('What this file is.')),
    metadata: v.strictObject({
      name: v.pipe(
        BundleName,
        v.metadata({ description: 'Names the bundle, and its files on the media.', examples: ['site-alpha'] }),
      ),
    }),
    platforms: v.optional(
      v.pipe(
        v.union([v.literal('all'), v.pipe(v.array(value.PlatformText), v.minLength(1))]),
        v.metadata({
          description: 'Platforms of the nodes inside; "all" for whatever each image has.',
          examples: [['linux/amd64', 'linux/arm64'], 'all'],
        }),
      ),
      () => ['linux/amd64'],
    ),
    elastic: v.exactOptional(
      v.pipe(
        ElasticSchema,
        v.description(
          'What Elastic publishes, by version and component. The images follow, those included that come along unnamed.',
        ),
      ),
    ),
    images: v.optional(
      v.pipe(
        v.array(value.ImageReference),
        v.metadata({
          description: 'Images by name and tag, beside those that follow from "elastic".',
          examples: [['registry.example/ours/app:1.0']],
        }),
      ),
      () => [],
    ),
    files: v.optional(
      v.pipe(
        v.array(FileSchema),
        v.metadata({
          description:
            'Files, beside those that follow from "elastic"; "eck-airgap export" takes them out inside. Each has a "path" or a "url".',
          examples: [[{ path: './dashboards.ndjson' }, { url: 'https://downloads.example/tool-1.0.tgz' }]],
        }),
      ),
      () => [],
    ),
    charts: v.optional(
      v.pipe(
        v.array(ChartSchema),
        v.metadata({
          description:
            'Helm charts, beside those that follow from "elastic"; the images that they name come along. Each has a "path", or "repository", "name" and "version".',
          examples: [[{ repository: 'https://charts.example', name: 'app', version: '1.2.3' }]],
        }),
      ),
      () => [],
    ),
    sources: v.optional(
      v.pipe(
        v.record(value.NamePrefix, SourceSchema),
        v.metadata({
          description:
            'What the names of images begin with (whole components, the longest counts) to the registry whose builds are carried under these names.',
          examples: [{ 'docker.elastic.co': { registry: 'registry1.dso.mil', layout: 'iron-bank' } }],
        }),
      ),
      () => ({}),
    ),
    signatures: v.optional(
      v.pipe(
        v.record(value.NamePrefix, SignatureRuleSchema),
        v.metadata({
          description:
            'What the names of images begin with (whole components, the longest counts) to the public key that must have signed them; "none" where none must.',
          examples: [{ 'registry.example/ours': { key: './ours.pub' } }],
        }),
      ),
      () => ({}),
    ),
    mirrors: v.optional(
      v.pipe(
        v.record(value.RegistryHost, value.MirrorUrl),
        v.metadata({
          description:
            'Host (of a registry, of downloads) to the URL that the same content is really fetched from: https://host[:port][/path].',
          examples: [{ 'docker.elastic.co': 'https://mirror.example/elastic' }],
        }),
      ),
      () => ({}),
    ),
  }),
  v.metadata({
    title: 'eck-airgap BundleSpec (airgap.yaml)',
    anyOf: [{ required: ['elastic'] }, { required: ['images'] }, { required: ['charts'] }],
  }),
);
