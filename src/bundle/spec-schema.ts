// The keys of airgap.yaml. What each description says is what editors show (docs/schema), what docs/airgap-yaml.md lists, and
// what "init" writes as a comment; the first of a key's examples is what "init" writes, commented out, where it sets none.
import * as v from 'valibot';
import { described } from './document.ts';
import { API_VERSION, BundleName, FileName } from './manifest.ts';
import { ElasticSchema } from './spec-elastic.ts';
import * as value from './spec-values.ts';

/** What the names of images begin with. */
const Prefix = v.pipe(value.NamePrefix, v.title('prefix'));

/** Another registry's builds, carried under the names that they stand in for. */
const SourceSchema = v.pipe(
  v.strictObject({
    registry: described(
      value.NamePrefix,
      'The registry, with a path where it has one. Credentials come from the usual files, by host.',
      { examples: ['registry1.dso.mil', 'registry.example/rebuilt'] },
    ),
    layout: v.optional(
      described(
        v.picklist(['prefix', 'iron-bank']),
        '"prefix": the same paths below the registry. "iron-bank": the paths of Iron Bank there, for linux/amd64 alone.',
      ),
      'prefix',
    ),
  }),
  v.forward(
    v.check(
      ({ registry, layout }) => layout !== 'iron-bank' || !/^registry1\.dso\.mil\/ironbank\/?$/i.test(registry),
      'has a path that the layout "iron-bank" adds itself: write registry1.dso.mil',
    ),
    ['registry'],
  ),
);

const IgnoredImages = v.exactOptional(
  described(v.array(v.pipe(v.string(), v.title('image'))), 'Images that it names and that are not to be carried.', {
    examples: [['registry.example/ours/optional:1.0']],
  }),
);

const FileSchema = v.pipe(
  v.strictObject({
    name: v.exactOptional(
      described(FileName, 'What "eck-airgap export" knows it by; the last part of the path or URL by default.', {
        examples: ['dashboards.ndjson'],
      }),
    ),
    path: v.exactOptional(
      described(value.FilePath, 'A file beside airgap.yaml, or an absolute path.', {
        examples: ['./dashboards.ndjson'],
      }),
    ),
    url: v.exactOptional(
      described(
        value.WebAddress,
        'Where it is downloaded from, instead of "path"; its host may have a mirror. A query (a signature, for example) is used for that alone: lock and bundle have the URL without it, and a new one leaves the lock valid.',
        {
          examples: ['https://downloads.example/tool-1.0.tgz'],
        },
      ),
    ),
    digest: v.exactOptional(
      described(value.ContentDigest, 'What its content must be.', {
        examples: [`sha256:${'0123456789abcdef'.repeat(4)}`],
      }),
    ),
    ignoreImages: IgnoredImages,
  }),
  v.check(({ path, url }) => (path === undefined) !== (url === undefined), 'has not exactly one of "path" and "url"'),
  v.metadata({ oneOf: [{ required: ['path'] }, { required: ['url'] }] }),
);

const ChartSchema = v.pipe(
  v.strictObject({
    path: v.exactOptional(
      described(value.FilePath, 'A packaged chart beside airgap.yaml, or an absolute path.', {
        examples: ['./app-1.2.3.tgz'],
      }),
    ),
    repository: v.exactOptional(
      described(
        value.WebAddress,
        'URL of a chart repository, instead of "path": where its index.yaml lies. Lock and bundle have it without its query.',
        {
          examples: ['https://charts.example'],
        },
      ),
    ),
    name: v.exactOptional(described(v.string(), 'Name of the chart in the repository.', { examples: ['app'] })),
    version: v.exactOptional(described(v.string(), 'Version of the chart in the repository.', { examples: ['1.2.3'] })),
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
    key: described(value.FilePath, 'A public key (PEM) beside airgap.yaml.', { examples: ['./ours.pub'] }),
  }),
]);

export const BundleSpecSchema = v.pipe(
  v.strictObject({
    apiVersion: described(v.literal(API_VERSION), 'The format of this file.'),
    kind: described(v.literal('BundleSpec'), 'What this file is.'),
    metadata: described(
      v.strictObject({
        name: described(BundleName, 'Names the bundle, and its files on the media.', { examples: ['site-alpha'] }),
        system: v.exactOptional(
          described(
            value.NameOnPaper,
            'The system that it is for, as transfer.html says it. It does not change the lock.',
            {
              examples: ['Observability, enclave A'],
            },
          ),
        ),
        requestedBy: v.exactOptional(
          described(value.NameOnPaper, 'Who asks for the transfer, as transfer.html says it.', {
            examples: ['A. Engineer'],
          }),
        ),
        approvedBy: v.exactOptional(
          described(
            value.NameOnPaper,
            'Who approves the transfer, as transfer.html says it; that person signs by hand.',
            {
              examples: ['S. Officer'],
            },
          ),
        ),
      }),
      'What the bundle is called.',
    ),
    platforms: v.optional(
      described(
        v.union([v.literal('all'), v.pipe(v.array(value.PlatformText), v.minLength(1))]),
        'Platforms of the nodes inside; "all" for whatever each image has.',
        { examples: [['linux/amd64', 'linux/arm64'], 'all'] },
      ),
      () => ['linux/amd64'],
    ),
    elastic: v.exactOptional(
      described(
        ElasticSchema,
        'What Elastic publishes, by version and component. The images follow, those included that come along unnamed.',
      ),
    ),
    images: v.optional(
      described(v.array(value.ImageReference), 'Images by name and tag, beside those that follow from "elastic".', {
        examples: [['registry.example/ours/app:1.0']],
      }),
      () => [],
    ),
    files: v.optional(
      described(
        v.array(FileSchema),
        'Files, beside those that follow from "elastic"; "eck-airgap export" takes them out inside. Each has a "path" or a "url".',
        { examples: [[{ path: './dashboards.ndjson' }, { url: 'https://downloads.example/tool-1.0.tgz' }]] },
      ),
      () => [],
    ),
    charts: v.optional(
      described(
        v.array(ChartSchema),
        'Helm charts, beside those that follow from "elastic"; the images that they name come along. Each has a "path", or "repository", "name" and "version".',
        { examples: [[{ repository: 'https://charts.example', name: 'app', version: '1.2.3' }]] },
      ),
      () => [],
    ),
    sources: v.optional(
      described(
        v.record(Prefix, SourceSchema),
        'What the names of images begin with (whole components, the longest counts) to the registry whose builds are carried under these names.',
        { examples: [{ 'docker.elastic.co': { registry: 'registry1.dso.mil', layout: 'iron-bank' } }] },
      ),
      () => ({}),
    ),
    signatures: v.optional(
      described(
        v.record(Prefix, SignatureRuleSchema),
        'What the names of images begin with (whole components, the longest counts) to the public key that must have signed them; "none" where none must.',
        { examples: [{ 'registry.example/ours': { key: './ours.pub' } }] },
      ),
      () => ({}),
    ),
    mirrors: v.optional(
      described(
        v.record(value.RegistryHost, value.MirrorUrl),
        'Host (of a registry, of downloads) to the URL that the same content is really fetched from: https://host[:port][/path].',
        { examples: [{ 'docker.elastic.co': 'https://mirror.example/elastic' }] },
      ),
      () => ({}),
    ),
  }),
  v.metadata({
    title: 'eck-airgap BundleSpec (airgap.yaml)',
    anyOf: [{ required: ['elastic'] }, { required: ['images'] }, { required: ['charts'] }],
  }),
);
