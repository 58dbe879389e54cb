// What `init` asks, one question for each answer that no flag gave: what is shown before it, what is offered, and what the
// catalogue says to the answer before the next one comes.
import { completed, faultOf, offers, stackReleasesFor } from '../build/starter.ts';
import type { GivenAnswers, Offer, StarterAnswers, StarterOptions } from '../build/starter.ts';
import { builtInCatalogue } from '../catalog/built-in.ts';
import { eckReleasesByAge } from '../catalog/compatibility.ts';
import { flavourRules, flavours } from '../catalog/components.ts';
import { USUAL_PLATFORMS } from '../catalog/published.ts';
import type { AirgapError } from '../core/errors.ts';
import type { CommandContext } from './command.ts';
import { ask, type Question } from './prompt.ts';
import { table } from './table.ts';

interface Asked {
  /** Shown before the question. */
  readonly about?: readonly string[];
  readonly question: Question;
  /** From what the prompt answers to what is meant; the same where there is none. */
  readonly read?: (answer: unknown) => unknown;
}

type Key = keyof StarterAnswers;

interface Known {
  /** Answers so far, and defaults for the rest. */
  readonly answers: StarterAnswers;
  readonly options: StarterOptions;
  /** Whether this answer goes with those so far; what the prompt shows where it does not. */
  readonly check: (key: Key, value: unknown) => true | string;
}

/** In the order they are asked in: what a question depends on comes before it. */
const questions: Readonly<Record<Key, (known: Known) => Asked | undefined>> = {
  name: ({ answers, check }) => ({
    question: {
      type: 'input',
      message: 'Name of the bundle:',
      default: answers.name,
      validate: (text) => check('name', text),
    },
  }),
  eck: ({ answers, check }) => ({
    about: eckTable(),
    question: {
      type: 'input',
      message: 'Version of the ECK operator:',
      default: answers.eck,
      validate: (text) => check('eck', text),
    },
  }),
  stack: ({ answers, options, check }) => ({
    about: [`Newest releases of the Stack that go with it: ${stackReleasesFor(answers, options).join(', ')}`],
    question: {
      type: 'input',
      message: 'Versions of the Stack:',
      default: answers.stack.join(' '),
      validate: (text) => check('stack', words(text)),
    },
    read: words,
  }),
  components: ({ answers, options, check }) => {
    const offered = offers(answers, options);
    return {
      about: [
        'The operator always comes along. Fleet Server and Elastic Agent need package-registry for their packages.',
      ],
      question: {
        type: 'checkbox',
        message: 'Components:',
        required: true,
        loop: false,
        pageSize: 12,
        default: answers.components.filter((name) => offered.some((one) => one.component.name === name && !one.fault)),
        choices: offered.map(componentChoice),
        validate: (choices) => check('components', choices.map(valueOf)),
      },
    };
  },
  platforms: ({ answers, check }) => ({
    question: {
      type: 'checkbox',
      message: 'Platforms of the nodes inside:',
      required: true,
      default: [...answers.platforms],
      choices: USUAL_PLATFORMS.map((value) => ({ value })),
      validate: (choices) => check('platforms', choices.map(valueOf)),
    },
  }),
  flavour: ({ answers, options }) => ({
    question: {
      type: 'select',
      message: 'Which build of the images:',
      default: answers.flavour,
      choices: flavours.map((flavour) => ({
        value: flavour,
        name: `${flavour}: ${flavourRules[flavour].title}`,
        short: flavour,
        disabled: faultOf({ ...answers, flavour }, options)?.message ?? false,
      })),
    },
  }),
  packageRegistry: ({ answers }) =>
    answers.components.includes('package-registry')
      ? {
          question: {
            type: 'select',
            message: 'Packages of integrations:',
            default: answers.packageRegistry,
            choices: [
              { value: 'lite', name: 'lite: the small set that ECK takes by default', short: 'lite' },
              { value: 'full', name: 'full: all of them', short: 'full' },
            ],
          },
        }
      : undefined,
  monitoring: ({ answers }) => ({
    question: {
      type: 'confirm',
      message: 'Carry Metricbeat and Filebeat, which ECK runs beside what is monitored?',
      default: answers.monitoring,
    },
  }),
  diagnostics: ({ answers }) => ({
    question: { type: 'confirm', message: 'Carry the images that eck-diagnostics runs?', default: answers.diagnostics },
  }),
};

/** Asks for what is not given. @throws INTERRUPTED */
export async function askForRest(
  context: CommandContext,
  given: GivenAnswers,
  options: StarterOptions,
): Promise<GivenAnswers> {
  let known = given;
  const check = (key: Key, value: unknown): true | string => {
    const fault = faultOf(completed({ ...known, [key]: value }, options), options);
    return fault === undefined || inPrompt(fault);
  };
  for (const [key, askedFor] of Object.entries(questions) as [Key, (typeof questions)[Key]][]) {
    const asked =
      known[key] === undefined ? askedFor({ answers: completed(known, options), options, check }) : undefined;
    if (asked !== undefined) known = { ...known, [key]: await answerTo(context, asked) };
  }
  return known;
}

/** Which file the fault would be in says nothing to somebody who has just typed it. */
function inPrompt({ message, hint, details }: AirgapError): string {
  const faults = Array.isArray(details['faults']) ? details['faults'].map(String) : [message];
  return [...faults, ...(hint === undefined ? [] : [hint])].join('. ');
}

async function answerTo(context: CommandContext, { about = [], question, read }: Asked): Promise<unknown> {
  context.io.stderr.write(about.map((line) => `${line}\n`).join(''));
  const answer = await ask(context, question);
  return read === undefined ? answer : read(answer);
}

function eckTable(): string[] {
  const rows = eckReleasesByAge(builtInCatalogue)
    .toReversed()
    .map(({ eck, kubernetes, openshift }) => [
      eck.from,
      `${kubernetes.from} to ${kubernetes.to}`,
      `${openshift.from} to ${openshift.to}`,
    ]);
  const columns = [{ heading: 'ECK' }, { heading: 'Kubernetes' }, { heading: 'OpenShift' }];
  return table(columns, rows, { width: Infinity });
}

function componentChoice({ component, fault }: Offer) {
  const { name, title, note, resource } = component;
  const beside =
    resource?.monitored === undefined ? [] : ['with Stack monitoring ECK runs Metricbeat and Filebeat beside it'];
  return {
    value: name,
    name: `${name}: ${title}`,
    short: name,
    description: [...beside, note ?? []].flat().join('; '),
    disabled: fault === undefined ? false : `(${fault.message})`,
  };
}

function words(text: unknown): string[] {
  const all = String(text).split(/[\s,]+/);
  return [...new Set(all)].filter((word) => word !== '');
}

function valueOf({ value }: { readonly value: unknown }): unknown {
  return value;
}
