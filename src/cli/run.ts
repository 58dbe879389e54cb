// The command line: the table of commands, and what holds for each of them.
import { Command, CommanderError } from 'commander';
import { AirgapError } from '../core/errors.ts';
import { HASH_THREADS, HashThreads } from '../core/hash-threads.ts';
import type { CommandModule } from './command.ts';
import type { Io } from './io.ts';
import { openOutput, type OutputFlags } from './output.ts';
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

/** Runs one command line; answers the exit status. Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let status = 0;
  const program = createProgram(await commandsFor(argv), io, (exit) => (status = exit));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageFailure(error, argv, io);
    return await failure(error, argv, io);
  }
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
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => undefined })
    .exitOverride()
    .showSuggestionAfterError(true);
  for (const module of commands) {
    const command = module
      .define(program.command(module.name))
      .description(module.summary)
      .option('--json', 'print one JSON document on stdout, on failure too')
      .option('-q, --quiet', 'no progress on stderr')
      .option('-v, --verbose', 'stack traces with errors')
      .exitOverride();
    command.action(async (...args: unknown[]) => {
      done(await perform(module, command, io, args.slice(0, command.registeredArguments.length)));
    });
  }
  return program;
}

async function perform(module: CommandModule, command: Command, io: Io, args: unknown[]): Promise<number> {
  const flags = command.opts<OutputFlags & Record<string, unknown>>();
  const output = await openOutput(io, flags);
  const hashing = new HashThreads(HASH_THREADS);
  try {
    await module.run({
      io,
      output,
      args: args
        .flat()
        .filter((arg) => arg !== undefined)
        .map(String),
      flags,
      hashing,
    });
    return 0;
  } catch (error) {
    return output.fail(io.signal.aborted && !(error instanceof AirgapError) ? io.signal.reason : error);
  } finally {
    await hashing.close();
  }
}

async function usageFailure(error: CommanderError, argv: readonly string[], io: Io): Promise<number> {
  const message = error.message.replace(/^error: /, '').replace(/\n/g, ' ');
  const known = Object.hasOwn(loaders, argv[0] ?? '');
  return failure(
    new AirgapError('USAGE', message === '(outputHelp)' ? 'a command is needed' : message, {
      hint: `See "eck-airgap ${known ? `${argv[0] ?? ''} ` : ''}--help".`,
    }),
    argv,
    io,
  );
}

async function failure(error: unknown, argv: readonly string[], io: Io): Promise<number> {
  const output = await openOutput(io, {
    json: argv.includes('--json'),
    verbose: argv.includes('--verbose') || argv.includes('-v'),
  });
  return output.fail(error);
}
