// The command line: the table of commands, and what holds for each of them.
import { Command, CommanderError, type Option } from 'commander';
import { AirgapError } from '../core/errors.ts';
import { HASH_THREADS, HashThreads } from '../core/hash-threads.ts';
import type { CommandModule } from './command.ts';
import type { Io } from './io.ts';
import { interrupted, openOutput, type OutputFlags } from './output.ts';
import { GRACE_MS } from './signals.ts';
import { VERSION } from './version.ts';

/** In the order of the help. A command is loaded when it is wanted: what one needs must not slow the start of another. */
const loaders: Readonly<Record<string, () => Promise<CommandModule>>> = {
  init: async () => (await import('./commands/init.ts')).initCommand,
  keygen: async () => (await import('./commands/keygen.ts')).keygenCommand,
  lock: async () => (await import('./commands/lock.ts')).lockCommand,
  build: async () => (await import('./commands/build.ts')).buildCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  diff: async () => (await import('./commands/diff.ts')).diffCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  load: async () => (await import('./commands/load.ts')).loadCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
};

export async function allCommands(): Promise<CommandModule[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

/** Runs one command line; resolves with the exit status. Never throws. */
export async function run(typed: readonly string[], io: Io): Promise<number> {
  const argv = helpAsOption(typed);
  let status = 0;
  let shown = '';
  const program = createProgram(await commandsFor(argv), io, (exit) => (status = exit));
  program.configureOutput({ writeOut: (text) => (shown += text) });
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) return await failure(error, argv, io);
    return shown === '' ? usageFailure(error, argv, io) : await show(shown, io);
  }
}

/** `help`, `help build` and no words at all are ways to ask for the help. */
function helpAsOption(argv: readonly string[]): readonly string[] {
  const [first, command] = argv;
  if (first !== undefined && first !== 'help') return argv;
  if (command === undefined) return ['--help'];
  return Object.hasOwn(loaders, command) ? [command, '--help'] : [command];
}

/** The named command; for the version none; all for whatever lists or suggests commands. */
async function commandsFor([first = '']: readonly string[]): Promise<readonly CommandModule[]> {
  if (first === '-V' || first === '--version') return [];
  const load = Object.hasOwn(loaders, first) ? loaders[first] : undefined;
  return load === undefined ? allCommands() : [await load()];
}

/** The program with these commands; also what the reference documentation is generated from. */
export function createProgram(commands: readonly CommandModule[], io: Io, done: (status: number) => void): Command {
  const program = new Command('eck-airgap')
    .description(
      'Carries the Elastic Stack on Kubernetes into networks with no way out: one signed bundle, built outside, verified and loaded inside.',
    )
    .version(VERSION, '-V, --version')
    .configureOutput({ writeErr: () => undefined, getOutHelpWidth: () => helpWidth(io) })
    .exitOverride()
    .showSuggestionAfterError(true);
  for (const module of commands) {
    const command = module
      .define(program.command(module.name))
      .description(module.summary)
      .option('--json', 'print one JSON document on stdout, on failure too')
      .option('--wide', 'on a terminal too, lines as long as they need to be, with whole names and digests')
      .option('-q, --quiet', 'no progress on stderr')
      .option('-v, --verbose', 'say what happens: requests, retries, steps, and what led to an error')
      .exitOverride();
    const required = requiredLast(command);
    command.action(async (...args: unknown[]) => {
      const words = args.slice(0, command.registeredArguments.length).flat();
      done(
        await perform({ module, command, required, words: words.filter((word) => word !== undefined).map(String) }, io),
      );
    });
  }
  return program;
}

/** A terminal may say that it has no columns; and lines without end are hard to read. */
function helpWidth({ stdout }: Io): number {
  return Math.min(Math.max(stdout.columns ?? 0, 80), 110);
}

/**
 * The options that a command needs, which are no longer looked for while the words are read: there a missing one hides what is
 * wrong with the words that are there.
 */
function requiredLast(command: Command): readonly Option[] {
  const required = command.options.filter(({ mandatory }) => mandatory);
  for (const option of required) option.makeOptionMandatory(false);
  return required;
}

interface Performance {
  readonly module: CommandModule;
  readonly command: Command;
  readonly required: readonly Option[];
  readonly words: readonly string[];
}

async function perform({ module, command, required, words }: Performance, io: Io): Promise<number> {
  const flags = command.opts<OutputFlags & Record<string, unknown>>();
  const output = await openOutput(io, flags, module);
  const hashing = new HashThreads(HASH_THREADS);
  try {
    for (const option of required) requireOption(option, { flags, name: module.name });
    const work = module.run({ io, output, args: words, flags, hashing });
    await Promise.race([work, overdue(io.signal)]);
    return await output.end(0);
  } catch (error) {
    return await output.end(
      output.fail(io.signal.aborted && !(error instanceof AirgapError) ? io.signal.reason : error),
    );
  } finally {
    await hashing.close();
  }
}

function requireOption(option: Option, { flags, name }: { readonly flags: object; readonly name: string }): void {
  if (Object.hasOwn(flags, option.attributeName())) return;
  throw new AirgapError('USAGE', `required option '${option.flags}' is missing`, { hint: helpHint(name) });
}

/** Rejects where the work has not ended a while after the signal; whatever it still does ends with the process. */
function overdue(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => void setTimeout(() => reject(interrupted()), GRACE_MS).unref();
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Help, or the version. */
async function show(text: string, io: Io): Promise<number> {
  const output = await openOutput(io, { quiet: true });
  output.print(text);
  return output.end(0);
}

async function usageFailure(error: CommanderError, argv: readonly string[], io: Io): Promise<number> {
  const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  const [first = ''] = argv;
  const hint = helpHint(Object.hasOwn(loaders, first) ? first : undefined);
  return failure(new AirgapError('USAGE', message, { hint }), argv, io);
}

function helpHint(command?: string): string {
  return `See "eck-airgap ${command === undefined ? '' : `${command} `}--help".`;
}

async function failure(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  const output = await openOutput(io, {
    json: argv.includes('--json'),
    verbose: argv.includes('--verbose') || argv.includes('-v'),
  });
  return output.end(output.fail(error));
}
