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

/** @throws INTERRUPTED at Ctrl-C, or where the terminal goes away */
export async function ask(context: CommandContext, question: Question): Promise<unknown> {
  const { io, output } = context;
  const { default: inquirer } = await import('inquirer');
  output.pause();
  const prompt = inquirer.createPromptModule({ input: io.stdin, output: io.stderr, signal: io.signal });
  try {
    return (await prompt<{ answer: unknown }>([{ ...question, message: printable(question.message), name: 'answer' }]))
      .answer;
  } catch (error) {
    if (error instanceof Error && ['ExitPromptError', 'AbortPromptError'].includes(error.name))
      throw new AirgapError('INTERRUPTED', `interrupted at the question "${question.message}"`, { cause: error });
    throw error;
  }
}
