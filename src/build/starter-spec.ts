// The text of a new airgap.yaml: what was answered, and commented out what else there is, each key with what it is for. All
// words are those of the schema, and what is commented out is the first example of each key.
import { dump } from 'js-yaml';
import type { Component } from '../catalog/components.ts';
import { SPEC_SCHEMA_FILE, specJsonSchema } from './json-schema.ts';
import { isTable, valueAt } from './kubernetes-yaml.ts';
import { schemaKeys, type SchemaKey } from './schema-keys.ts';
import { offers, specOf, type StarterAnswers, type StarterOptions } from './starter.ts';

export interface StarterSpecOptions extends StarterOptions {
  /** Where the JSON Schema lies, from the folder of the file; beside it by default. */
  readonly schema?: string;
}

const COMMENT_WIDTH = 116;

/** Answers that cannot go together make a text too: whether they can is for `wantedByAnswers`. */
export function starterSpec(answers: StarterAnswers, options: StarterSpecOptions = {}): string {
  const { schema = `./${SPEC_SCHEMA_FILE}` } = options;
  const { apiVersion, kind, ...spec } = specOf(answers);
  const head = { apiVersion, kind };
  // what lies in a list or mapping is part of its example
  const keys = schemaKeys(specJsonSchema()).filter(({ path }) => !/[[<]/.test(path) && !(path in head));
  const lines = keys.flatMap((key) => {
    const isComponents = key.path === 'elastic.components';
    return block(
      key,
      isComponents ? componentLines(answers, options) : bodyOf(key, valueAt(spec, key.path.split('.'))),
    );
  });
  return `# yaml-language-server: $schema=${schema}
# What to carry into the enclave: "eck-airgap lock" pins it, "eck-airgap build" collects it.
# What is commented out is what else there is.
${[...yaml(head), ...lines].join('\n')}
`;
}

/** A key with what it is for, indented as deep as it lies, and after an empty line where that is not at all. */
function block({ path, description }: SchemaKey, body: readonly string[]): string[] {
  const depth = path.split('.').length - 1;
  const lines = [...wrapped(description).map((line) => `# ${line}`), ...body];
  return [...(depth === 0 ? [''] : []), ...lines.map((line) => '  '.repeat(depth) + line)];
}

function bodyOf({ path, examples }: SchemaKey, value: unknown): readonly string[] {
  const name = path.slice(path.lastIndexOf('.') + 1);
  if (value === undefined) return yaml({ [name]: examples[0] }).map((line) => `# ${line}`);
  return isTable(value) ? [`${name}:`] : yaml({ [name]: value });
}

/** What is chosen, and commented out what could be. */
function componentLines(answers: StarterAnswers, options: StarterOptions): readonly string[] {
  const all = offers(answers, options);
  const others = all.filter(
    ({ component, fault }) => fault === undefined && !answers.components.includes(component.name),
  );
  const item = (name: string): string => {
    const known = all.find(({ component }) => component.name === name)?.component;
    return known === undefined ? `- ${JSON.stringify(name)}` : `- ${name} # ${titleOf(known)}`;
  };
  return [
    'components:',
    ...answers.components.map((name) => `  ${item(name)}`),
    ...others.map(({ component }) => `  # ${item(component.name)}`),
  ];
}

function titleOf({ title, note }: Component): string {
  return note === undefined ? title : `${title}; ${note}`;
}

function yaml(value: unknown): string[] {
  return dump(value, { lineWidth: -1 }).trimEnd().split('\n');
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= COMMENT_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
