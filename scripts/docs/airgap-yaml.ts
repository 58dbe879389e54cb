// docs/airgap-yaml.md: every key of airgap.yaml out of its JSON Schema, and what can be asked for out of the catalogue.
import { specJsonSchema } from '../../src/build/json-schema.ts';
import { schemaKeys, type SchemaKey } from '../../src/build/schema-keys.ts';
import { componentTable, flavourTable, versionTable } from './catalogue-tables.ts';
import { cell, markdownTable } from './markdown.ts';

export function airgapYamlPage(): string {
  return `# airgap.yaml

Says what to carry into the enclave. \`eck-airgap init\` asks for it and writes one, with every key explained in it;
[templates/airgap.yaml](../templates/airgap.yaml) is such a file. An editor that knows YAML completes and checks it by its
[JSON Schema](schema/airgap.schema.json), which \`init\` writes beside it. A key that is not in this table is refused.

- [Keys](#keys)
- [Components](#components), [flavours](#flavours), [versions](#versions)
- [Where images come from](sources.md): \`sources\`, \`mirrors\`, credentials, certificates, proxies

## Keys

One of \`elastic\`, \`images\` and \`charts\` is needed. Paths are taken from the folder of airgap.yaml.

${keyTable(schemaKeys(specJsonSchema()))}

## Components

What \`elastic.components\` can name, and which versions of it an ECK runs. Everything exists in the default flavour. Others can be
added in a [catalogue file](schema/catalogue.schema.json) of one's own (\`elastic.catalogue\`).

${componentTable()}

## Flavours

${flavourTable()}

## Versions

What the built-in tables know. What is newer needs \`--allow-unknown-version\`, or an entry in a catalogue file.

${versionTable()}
`;
}

function keyTable(keys: readonly SchemaKey[]): string {
  const rows = keys.map((key) => [
    cell(`\`${key.path}\``),
    cell(key.type),
    key.required ? '**required**' : 'default' in key ? code(key.default) : '',
    cell(key.description),
    key.examples.map(code).join('<br>'),
  ]);
  return markdownTable(['key', 'type', 'default', 'what it is for', 'example'], rows);
}

/** As flow YAML, which JSON is. */
function code(value: unknown): string {
  return cell(`\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);
}
