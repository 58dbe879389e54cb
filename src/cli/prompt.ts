// Questions to a person: on stderr, because stdout is for the result. What asks them is loaded when there is one to ask.
import type { DistinctQuestion } from 'inquirer';
import { AirgapError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { CommandContext } from './command.ts';

/** Omit, member by member of a union. */
type Unnamed<Q> = Q extends unknown ? Omit<Q, 'name'> : never;

export type Question = Unnamed<DistinctQuestion> & { readonly message: string };

/** Whether somebody is there to be asked. */
export function isTerminal({ io }: CommandContext): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/** @throws INTERRUPTED at Ctrl-C and Ctrl-D, or where the terminal goes away */
export async function ask(context: CommandContext, question: Question): Promise<unknown> {
  const { io, output } = context;
  const { default: inquirer } = await import('inquirer');
  output.pause();
  const left = new AbortController();
  // Ctrl-D closes the input and settles nothing. A prompt that has been answered closes it too, and is settled by then
  const onPause = (): void => void setImmediate(() => left.abort());
  io.stdin.on('pause', onPause);
  const signal = AbortSignal.any([io.signal, left.signal]);
  const prompt = inquirer.createPromptModule({ input: io.stdin, output: io.stderr, signal });
  try {
    return (await prompt<{ answer: unknown }>([{ ...question, message: printable(question.message), name: 'answer' }]))
      .answer;
  } catch (error) {
    if (error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name))
      throw new AirgapError('INTERRUPTED', `interrupted at the question "${question.message}"`, { cause: error });
    throw error;
  } finally {
    io.stdin.off('pause', onPause);
  }
}
