// The key `elastic` of airgap.yaml: what the catalogue of Elastic's images is asked for. Its names and versions are for the
// catalogue to check.
import * as v from 'valibot';
import { described } from './document.ts';
import * as value from './spec-values.ts';

export const ElasticSchema = v.strictObject({
  eck: described(value.VersionText, 'Version of the ECK operator.', { examples: ['3.5.0'] }),
  stack: v.exactOptional(
    described(
      v.pipe(v.array(value.VersionText), v.minLength(1)),
      'Versions of the Stack; several where the enclave goes from one to the next.',
      { examples: [['9.5.2'], ['8.19.20', '9.5.2']] },
    ),
  ),
  components: v.exactOptional(
    described(
      v.array(
        v.union([
          value.ComponentName,
          v.strictObject({
            name: described(value.ComponentName, 'Name of the component.', { examples: ['filebeat'] }),
            version: v.exactOptional(
              described(value.VersionText, 'In place of those that it would follow.', { examples: ['8.19.20'] }),
            ),
          }),
        ]),
      ),
      "What is run: names, or names with a version in place of the Stack's. The operator always comes along.",
      { examples: [['elasticsearch', 'kibana', { name: 'filebeat', version: '8.19.20' }]] },
    ),
  ),
  flavour: v.exactOptional(
    described(
      value.FlavourName,
      `Which build of the images: ${value.FlavourName.options.join(', ')}. What has no build of a flavour is taken in the default one.`,
      { default: 'default', examples: ['ubi'] },
    ),
  ),
  packageRegistry: v.exactOptional(
    described(
      value.PackageRegistryMode,
      'Of the component package-registry: all packages of integrations ("full"), or the small set that ECK takes by default ("lite").',
      { default: 'lite', examples: ['full'] },
    ),
  ),
  monitoring: v.exactOptional(
    described(
      v.boolean(),
      'Whether the images of Stack monitoring come along for what can be monitored: Metricbeat and Filebeat.',
      { default: true, examples: [false] },
    ),
  ),
  diagnostics: v.exactOptional(
    described(
      v.union([v.boolean(), value.VersionText]),
      'Carries the images that eck-diagnostics runs: those of its newest known version, or of one.',
      { examples: [true, '1.11.0'] },
    ),
  ),
  catalogue: v.exactOptional(
    described(
      value.FilePath,
      'A catalogue file of your own: versions, components and images that came after this release.',
      { examples: ['./catalogue.yaml'] },
    ),
  ),
  licence: v.exactOptional(
    described(value.FilePath, 'The licence file that Elastic sent; carried as licence.json.', {
      examples: ['./licence.json'],
    }),
  ),
});
