// The text that `init` writes: it says what was answered, and what is commented out in it can be put in.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { specJsonSchema } from '../../src/build/json-schema.ts';
import { schemaKeys } from '../../src/build/schema-keys.ts';
import { starterSpec } from '../../src/build/starter-spec.ts';
import { completed, faultOf, offers, specOf, type StarterAnswers } from '../../src/build/starter.ts';
import { parseSpec } from '../../src/bundle/spec.ts';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import { flavours } from '../../src/catalog/components.ts';

const DEFAULTS = completed({});
const TEXT = starterSpec(DEFAULTS);

/** What the answers ask for, without a text between. */
function meant(answers: StarterAnswers): unknown {
  return parseSpec(JSON.stringify(specOf(answers)), 'answers');
}

/** The text with a commented-out key put in: its line, and those below it that are indented deeper. */
function uncommented(text: string, key: string): string {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => new RegExp(`^ *# ${key}:`).test(line));
  expect(start, `${key} is commented out`).toBeGreaterThan(0);
  const end = lines.findIndex((line, i) => i > start && !/^ *# {3}/.test(line));
  return lines.map((line, i) => (i >= start && i < end ? line.replace(/^( *)# /, '$1') : line)).join('\n');
}

function* combinations(): Generator<StarterAnswers> {
  for (const flavour of flavours)
    for (const packageRegistry of ['full', 'lite'] as const)
      for (const monitoring of [true, false])
        for (const diagnostics of [true, false])
          for (const platforms of [['linux/amd64'], ['linux/amd64', 'linux/arm64'], ['all']])
            yield { ...DEFAULTS, flavour, packageRegistry, monitoring, diagnostics, platforms };
}

describe('a new airgap.yaml', () => {
  test('says what was answered, in every combination', () => {
    for (const answers of combinations()) expect(parseSpec(starterSpec(answers), 'text')).toEqual(meant(answers));
  });

  test('says the versions and components that were answered', () => {
    for (const stack of builtInCatalogue.stackReleases) {
      const components = builtInCatalogue.components.map(({ name }) => name);
      const answers = { ...DEFAULTS, stack: [stack, ...DEFAULTS.stack], components };
      expect(parseSpec(starterSpec(answers), 'text')).toEqual(meant(answers));
    }
  });

  test('takes any name for text, such as one that YAML would read as a number', () => {
    for (const name of ['1.0', '0x10', '1e3', 'null', 'true', '007'])
      expect(parseSpec(starterSpec({ ...DEFAULTS, name }), 'text').metadata.name).toBe(name);
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9](?:[a-z0-9._-]{0,20}[a-z0-9])?$/), fc.string(), (name, component) => {
        const spec = parseSpec(starterSpec({ ...DEFAULTS, name, components: [component] }), 'text');
        expect([spec.metadata.name, spec.elastic?.components]).toEqual([name, [component]]);
      }),
      { numRuns: 30 },
    );
  });

  test('opens with the schema, for editors', () => {
    expect(TEXT.split('\n')[0]).toBe('# yaml-language-server: $schema=./airgap.schema.json');
    expect(starterSpec(DEFAULTS, { schema: '../a.json' })).toMatch(/^# yaml-language-server: \$schema=\.\.\/a\.json\n/);
  });

  test('explains every key that it has or could have', () => {
    const words = TEXT.replace(/\n *# /g, ' ').replace(/\s+/g, ' ');
    const keys = schemaKeys(specJsonSchema()).filter(({ path }) => !/[[<]|^apiVersion$|^kind$/.test(path));
    expect(keys.filter(({ description }) => !words.includes(description))).toEqual([]);
    expect(
      keys.filter(({ path }) => !new RegExp(`^ *(?:# )?${path.split('.').at(-1) ?? ''}:`, 'm').test(TEXT)),
    ).toEqual([]);
  });

  test.each(
    schemaKeys(specJsonSchema())
      .filter(({ path }) => /^(?:elastic\.)?[a-z]+$/i.test(path))
      .filter(({ path }) => new RegExp(`^ *# ${path.split('.').at(-1) ?? ''}:`, 'm').test(TEXT))
      .map(({ path, examples }) => [path, examples[0]] as const),
  )('%s can be put in as it stands there', (path, example) => {
    const key = path.split('.').at(-1) ?? '';
    const spec = parseSpec(uncommented(TEXT, key), 'text') as unknown as Record<string, unknown>;
    const found = path.startsWith('elastic.') ? (spec['elastic'] as Record<string, unknown>)[key] : spec[key];
    expect(found).toEqual(example);
  });

  test('has every component that goes with the rest commented out, to be put in, and no other', () => {
    const lines = TEXT.split('\n').filter((line) => /^ +# - [a-z-]+ #/.test(line));
    const names = lines.map((line) => /- ([a-z-]+)/.exec(line)?.[1] ?? '');
    const possible = offers(DEFAULTS).filter(({ fault }) => fault === undefined);
    const all = possible.map(({ component }) => component.name);
    expect([...names, ...DEFAULTS.components].sort()).toEqual([...all].sort());
    const everything = TEXT.replace(/^( +)# - ([a-z-]+ #)/gm, '$1- $2');
    expect(parseSpec(everything, 'text').elastic?.components).toEqual([...DEFAULTS.components, ...names]);
    expect(faultOf({ ...DEFAULTS, components: all })).toBeUndefined();
  });

  test('has no line wider than editors show', () => {
    expect(TEXT.split('\n').filter((line) => line.length > 120)).toEqual([]);
  });
});
