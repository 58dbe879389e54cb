import { basename, dirname, join } from 'node:path';
import { Option } from 'commander';
import { encodeJsonSchema, SPEC_SCHEMA_FILE, specJsonSchema } from '../../build/json-schema.ts';
import { starterSpec } from '../../build/starter-spec.ts';
import { bundleNameFrom, completed, wantedByAnswers } from '../../build/starter.ts';
import type { GivenAnswers, StarterAnswers, StarterOptions } from '../../build/starter.ts';
import { flavours, type Flavour } from '../../catalog/components.ts';
import { AirgapError } from '../../core/errors.ts';
import { ensureFolder, isThere, writeWholeFile } from '../../core/files.ts';
import { plural } from '../../core/plural.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { listFlag, pathOf, repeatable, stringFlag } from '../flags.ts';
import { askForRest } from '../init-questions.ts';
import { isTerminal } from '../prompt.ts';
import { table } from '../table.ts';

const ANSWER_FLAGS = [
  ...['--name', '--eck', '--stack', '--component', '--platform', '--flavour', '--package-registry'],
  ...['--no-monitoring', '--diagnostics'],
];

export const initCommand: CommandModule = {
  name: 'init',
  summary: 'Ask what to carry, and write it as airgap.yaml with every key explained.',
  define: (command) =>
    command
      .argument('[airgap.yaml]', 'file to write; it must not be there yet', 'airgap.yaml')
      .option('--name <name>', 'names the bundle (default: the folder)')
      .option('--eck <version>', 'version of the ECK operator (default: the newest known that goes with the rest)')
      .option(
        '--stack <version>',
        'version of the Stack; may be given several times (default: the newest known that goes with the rest)',
        repeatable,
      )
      .option(
        '--component <name>',
        'what to run of it; may be given several times (default: elasticsearch, kibana)',
        repeatable,
      )
      .option(
        '--platform <os/arch>',
        'of the nodes inside, or "all"; may be given several times (default: linux/amd64)',
        repeatable,
      )
      .addOption(
        new Option('--flavour <flavour>', 'which build of the images (the plain one by default)').choices(flavours),
      )
      .addOption(
        new Option('--package-registry <mode>', 'which packages of integrations (lite by default)').choices([
          'lite',
          'full',
        ]),
      )
      .option('--monitoring', 'carry Metricbeat and Filebeat for Stack monitoring (default)')
      .option('--no-monitoring', 'do not carry them')
      .option('--diagnostics', 'carry the images that eck-diagnostics runs')
      .option('--no-diagnostics', 'do not carry them (default)')
      .option('--allow-unknown-version', 'apply the newest rules to versions that the catalogue does not know')
      .option('-y, --yes', 'ask nothing: take the default where no flag is given')
      .addHelpText(
        'after',
        `\nWithout --yes it asks for what no flag gives. ${SPEC_SCHEMA_FILE}, for editors, is written beside it.\n` +
          '\nExamples:\n  eck-airgap init\n  eck-airgap init --yes --stack 9.5.2 --component elasticsearch --component kibana\n',
      ),
  run: async (context) => {
    const typed = context.args[0] ?? 'airgap.yaml';
    const spec = pathOf(context, typed);
    await refuseExisting(spec);
    const options: StarterOptions = {
      name: bundleNameFrom(basename(dirname(spec))) ?? 'bundle',
      allowUnknownVersion: context.flags['allowUnknownVersion'] === true,
    };
    const answers = await answersOf(context, options);
    const { images, notes } = wantedByAnswers(answers, options);
    const schema = await write(spec, starterSpec(answers, options));
    for (const note of notes) context.output.warn(note);
    const next = `eck-airgap lock ${typed}${options.allowUnknownVersion ? ' --allow-unknown-version' : ''}`;
    context.output.result({ kind: 'InitResult', spec, schema, images, notes, next }, [
      ...table(
        [
          { heading: 'IMAGE', shorten: 'start' },
          { heading: 'NEEDED BY', shorten: 'end' },
        ],
        images.map(({ name, uses = [] }) => [name, uses.map(({ why }) => why).join('; ')]),
        context.output.layout,
      ),
      `${spec}: ${plural(images.length, 'image')}. It says what else can be carried; change it as you like.`,
      `next: ${next}`,
    ]);
  },
};

/** Flags, then questions, then defaults. @throws USAGE without a terminal and without --yes, INTERRUPTED */
async function answersOf(context: CommandContext, options: StarterOptions): Promise<StarterAnswers> {
  const given = givenByFlags(context);
  if (context.flags['yes'] === true) return completed(given, options);
  if (!isTerminal(context)) {
    throw new AirgapError('USAGE', 'init asks questions, and there is no terminal to ask them on', {
      hint: `Pass --yes, and what shall not be as by default: ${ANSWER_FLAGS.join(', ')}.`,
    });
  }
  // what flags alone make impossible no answer can put right
  wantedByAnswers(completed(given, options), options);
  return completed(await askForRest(context, given, options), options);
}

/** The specification last: while it is not there, nothing is. Answers the path of its schema. */
async function write(spec: string, text: string): Promise<string> {
  const folder = dirname(spec);
  const schema = join(folder, SPEC_SCHEMA_FILE);
  await ensureFolder(folder);
  await writeWholeFile(schema, Buffer.from(encodeJsonSchema(specJsonSchema())));
  await refuseExisting(spec);
  await writeWholeFile(spec, Buffer.from(text), { isNew: true });
  return schema;
}

function givenByFlags(context: CommandContext): GivenAnswers {
  const { flags } = context;
  const text = (name: string) => stringFlag(context, name);
  const list = (name: string) => {
    const values = listFlag(context, name);
    return values.length === 0 ? undefined : [...new Set(values)];
  };
  const given = {
    name: text('name'),
    eck: text('eck'),
    stack: list('stack'),
    components: list('component'),
    platforms: list('platform'),
    flavour: text('flavour') as Flavour | undefined,
    packageRegistry: text('packageRegistry') as StarterAnswers['packageRegistry'] | undefined,
    monitoring: flags['monitoring'] as boolean | undefined,
    diagnostics: flags['diagnostics'] as boolean | undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function refuseExisting(specPath: string): Promise<void> {
  if (!(await isThere(specPath))) return;
  throw new AirgapError('FILE_EXISTS', `${specPath} is already there; init never overwrites one`, {
    hint: 'Name another file, or move that one away.',
  });
}
