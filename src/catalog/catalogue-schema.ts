// The keys of a catalogue file of one's own; a catalogue itself (components.ts) has the same shape, with all of them there.
// What each description says is what editors show (docs/schema), and what docs/airgap-yaml.md lists.
import * as v from 'valibot';
import { described } from '../bundle/document.ts';
import { API_VERSION, FileName } from '../bundle/manifest.ts';
import { PublicWebAddress } from '../bundle/spec-values.ts';
import { isRepository, isTag } from '../oci/reference.ts';
import { flavours } from './components.ts';
import { eckImages, isEckImage, type EckImage } from './image-name.ts';
import { isVersion } from './version.ts';

const VersionText = v.pipe(v.string(), v.check(isVersion, 'is not a version such as 9.5.2'), v.title('version'));
const MinorText = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,4}\.[0-9]{1,4}$/, 'is not major.minor in quotes, such as "1.34"'),
  v.title('major.minor'),
);
const FirstVersion = described(VersionText, 'The first version.');
const Range = v.strictObject({
  from: v.exactOptional(FirstVersion),
  until: v.exactOptional(described(VersionText, 'The first version that is not meant any more.')),
});
const MinorRange = v.strictObject({
  from: described(MinorText, 'The first minor.'),
  to: described(MinorText, 'The last minor.'),
});
const Suffix = v.pipe(
  v.string(),
  v.check((text) => text === '' || (isTag(`x${text}`) && isRepository(`x${text}`)), 'cannot end a repository or tag'),
);
const Repository = v.pipe(v.string(), v.check(isRepository, 'is not a repository without host, such as kibana/kibana'));
const Name = v.pipe(v.string(), v.regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not a name of a-z, 0-9 and "-"'));
const ByVersion = {
  versions: v.exactOptional(described(Range, 'Versions that the rule holds for; all where it says none.')),
};
const Rules = <T extends v.GenericSchema>(rule: T) => v.pipe(v.array(rule), v.minLength(1, 'has no rule'));
const SuffixRules = Rules(
  v.strictObject({
    ...ByVersion,
    suffix: v.exactOptional(described(Suffix, 'Ends the repository.', { examples: ['-ubi'] })),
    tagSuffix: v.exactOptional(described(Suffix, 'Ends the tag.', { examples: ['-ubi'] })),
  }),
);

const ResourceSchema = v.strictObject({
  kind: described(v.string(), 'Kind of the resource.', { examples: ['Kibana'] }),
  apiVersion: described(v.string(), 'Its API.', { examples: ['kibana.k8s.elastic.co/v1'] }),
  image: described(
    v.custom<EckImage>((name) => typeof name === 'string' && isEckImage(name), 'is no image that ECK knows'),
    'The image that ECK runs for it.',
    { type: 'string', enum: eckImages },
  ),
  monitored: v.exactOptional(
    described(Range, 'Versions that ECK can run Metricbeat and Filebeat beside, of the same version.'),
  ),
});

const ComponentSchema = v.strictObject({
  name: described(Name, 'What airgap.yaml calls it.', { examples: ['my-tool'] }),
  title: v.exactOptional(described(v.string(), 'What people call it.', { examples: ['Our tool'] })),
  follows: v.exactOptional(
    described(
      v.picklist(['stack', 'eck', 'own']),
      'Whose version is its tag: the Stack\'s, ECK\'s, or one of its own ("own", of a new component).',
    ),
  ),
  version: v.exactOptional(
    described(VersionText, 'The newest known version of one that follows its own.', { examples: ['1.2.3'] }),
  ),
  repositories: v.exactOptional(
    described(
      Rules(
        v.strictObject({
          ...ByVersion,
          repository: described(Repository, 'Path below docker.elastic.co.', { examples: ['kibana/kibana'] }),
        }),
      ),
      'Where it is; the first rule that holds counts. Required for a component that the built-in catalogue does not have.',
      { examples: [[{ repository: 'tools/my-tool' }]] },
    ),
  ),
  suffixes: v.exactOptional(
    described(
      v.strictObject(v.entriesFromList(flavours, v.exactOptional(SuffixRules))),
      'What its name ends with, by flavour. A flavour with rules, and none for a version, has no such version.',
      { examples: [{ wolfi: [{ versions: { from: '8.16.0' }, suffix: '-wolfi' }] }] },
    ),
  ),
  platforms: v.exactOptional(
    described(
      Rules(
        v.strictObject({
          ...ByVersion,
          platforms: described(
            v.pipe(v.array(v.pipe(v.string(), v.title('os/architecture'))), v.minLength(1)),
            'All that it is published for.',
            { examples: [['linux/amd64']] },
          ),
        }),
      ),
      'What it is published for; linux/amd64 and linux/arm64 where no rule holds.',
    ),
  ),
  resource: v.exactOptional(described(ResourceSchema, 'The ECK resource that runs it.')),
  support: v.exactOptional(
    described(
      Rules(
        v.strictObject({
          eck: described(Range, 'Versions of ECK.'),
          versions: described(Range, 'Versions of the component that they run.'),
        }),
      ),
      'What runs with which ECK; without, it runs without ECK, every version with every ECK.',
    ),
  ),
  standalone: v.exactOptional(
    described(v.boolean(), 'Whether it runs as a plain Deployment too, where ECK does not manage it.'),
  ),
  ironBank: v.exactOptional(
    described(Repository, 'Path below registry1.dso.mil/ironbank.', { examples: ['elastic/kibana/kibana'] }),
  ),
  note: v.exactOptional(
    described(v.string(), 'What a person who chooses it should know: a sentence without full stop.'),
  ),
});

const EckReleaseSchema = v.strictObject({
  eck: described(v.strictObject({ ...Range.entries, from: FirstVersion }), 'Versions of ECK.', {
    examples: [{ from: '3.6.0', until: '3.7.0' }],
  }),
  kubernetes: described(MinorRange, 'Minors of Kubernetes that it supports.', {
    examples: [{ from: '1.33', to: '1.37' }],
  }),
  openshift: described(MinorRange, 'Minors of OpenShift that it supports.', {
    examples: [{ from: '4.17', to: '4.23' }],
  }),
});

const DiagnosticsSchema = v.strictObject({
  eckDiagnostics: described(Range, 'Versions of eck-diagnostics.'),
  supportDiagnostics: described(VersionText, 'Version of the image that they run.', { examples: ['9.3.1'] }),
});

const Fingerprint = v.pipe(
  v.string(),
  v.metadata({
    description: 'Its OpenPGP fingerprint, got by another way than from the host that serves it.',
    examples: ['46095ACC8548582C1A2699A9D27D666CD88E42B4'],
  }), // of what is written: behind a transformation it would not be
  v.transform((text) => text.replaceAll(' ', '').toUpperCase()),
  v.regex(
    /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/,
    'is not a whole OpenPGP fingerprint: 40 hexadecimal digits (64 of a v6 key)',
  ),
);

const SigningKeySchema = v.strictObject({
  name: described(FileName, 'Name of the file that it is published and carried as.', {
    examples: ['GPG-KEY-elasticsearch'],
  }),
  fingerprint: Fingerprint,
  url: v.exactOptional(
    described(PublicWebAddress, 'Where it is published; under its name on artifacts.elastic.co by default.'),
  ),
});

export const CatalogueSchema = v.pipe(
  v.strictObject({
    apiVersion: described(v.literal(API_VERSION), 'The format of this file.'),
    kind: described(v.literal('Catalogue'), 'What this file is.'),
    components: v.exactOptional(
      described(
        v.array(ComponentSchema),
        'New components; and keys of those that are there, which take the place of their own.',
      ),
    ),
    eckReleases: v.exactOptional(
      described(
        v.array(EckReleaseSchema),
        'Releases of ECK; each goes before the built-in rows, for the versions it names.',
      ),
    ),
    stackLines: v.exactOptional(
      described(v.array(MinorText), 'Newest known minor of a major of the Stack.', { examples: [['9.6']] }),
    ),
    diagnostics: v.exactOptional(
      described(v.array(DiagnosticsSchema), 'What eck-diagnostics runs; each goes before the built-in rows.'),
    ),
    signingKeys: v.exactOptional(
      described(
        v.array(SigningKeySchema),
        'Keys that files are signed with; one takes the place of the built-in one of its name.',
      ),
    ),
    stackCharts: v.exactOptional(
      described(
        v.record(VersionText, VersionText),
        'Exact version of ECK to the version of chart eck-stack that goes with it.',
        { examples: [{ '3.6.0': '0.21.0' }] },
      ),
    ),
  }),
  v.title('eck-airgap Catalogue (entries of your own)'),
);
