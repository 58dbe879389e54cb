// The command line in this process, with a person at a terminal: what is typed answers what is on the screen.
import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { run } from '../../src/cli/run.ts';
import { testIo } from './io.ts';

export const KEYS = { enter: '\r', space: ' ', down: '\u001b[B', interrupt: '\u0003', clearLine: '\u0015' } as const;

/** Text of a question, and what is typed when it is there. */
export type Reply = readonly [question: string, typed: string];

export interface Dialogue {
  readonly status: number;
  readonly stdout: string;
  /** Everything that was shown, without colours. */
  readonly screen: string;
  /** Questions that did not come. */
  readonly unasked: readonly string[];
}

/** Answers the questions in their order, each once. */
export async function dialogue(argv: readonly string[], cwd: string, replies: readonly Reply[]): Promise<Dialogue> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  const left = [...replies];
  let screen = '';
  let seen = 0;
  const stderr: Writable = Object.assign(
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        screen += stripVTControlCharacters(chunk.toString());
        const [question, typed] = left[0] ?? [];
        if (question !== undefined && screen.slice(seen).includes(question)) {
          left.shift();
          seen = screen.length;
          // a prompt that has just been drawn listens from the next turn on
          setImmediate(() => stdin.write(typed));
        }
        done();
      },
    }),
    // like a process's own, it is not ended by what is piped into it
    { isTTY: true, columns: 120, end: () => stderr },
  );
  const { io, stdout } = testIo({ stdin, stderr, cwd, homeDir: cwd, env: { TERM: 'dumb' } });
  const status = await run(argv, io);
  return { status, stdout: stdout(), screen, unasked: left.map(([question]) => question) };
}
