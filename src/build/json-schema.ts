// JSON Schemas of the files people write, for editors: what the program itself reads by, with what the catalogue knows
// offered for completion. docs/schema holds them, and `init` writes one beside airgap.yaml.
import { toJsonSchema, type ConversionConfig } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { BundleSpecSchema } from '../bundle/spec-schema.ts';
import { ComponentName, FlavourName } from '../bundle/spec-values.ts';
import { builtInComponents } from '../catalog/built-in-components.ts';
import { CatalogueSchema } from '../catalog/catalogue-schema.ts';
import { flavourRules } from '../catalog/components.ts';

export type JsonSchema = ReturnType<typeof toJsonSchema>;

/** The name under which `init` writes the schema of airgap.yaml. */
export const SPEC_SCHEMA_FILE = 'airgap.schema.json';

export function specJsonSchema(): JsonSchema {
  return jsonSchema(BundleSpecSchema);
}

export function catalogueJsonSchema(): JsonSchema {
  return jsonSchema(CatalogueSchema);
}

/** Its bytes, the same wherever it is written. */
export function encodeJsonSchema(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function jsonSchema(schema: v.GenericSchema): JsonSchema {
  return toJsonSchema(schema, { typeMode: 'input', errorMode: 'ignore', overrideSchema: offered });
}

/** Names one by one, with what they are called. Components of a catalogue file of one's own are valid too. */
const offered: NonNullable<ConversionConfig['overrideSchema']> = ({ valibotSchema }) => {
  if (valibotSchema === FlavourName) {
    return { anyOf: Object.entries(flavourRules).map(([name, { title }]) => ({ const: name, description: title })) };
  }
  if (valibotSchema === ComponentName) {
    const known = builtInComponents.map(({ name, title }) => ({ const: name, description: title }));
    return { anyOf: [...known, { type: 'string', title: 'component' }] };
  }
  return undefined;
};
