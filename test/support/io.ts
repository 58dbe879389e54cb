// An Io whose output is kept and whose clock stands still until it is told to move.
import { Readable, Writable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';

export interface TestIo {
  readonly io: Io;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly advance: (ms: number) => void;
}

export function testIo(overrides: Partial<Io> = {}): TestIo {
  let now = 0;
  const out: string[] = [];
  const err: string[] = [];
  const into = (lines: string[]): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString());
        done();
      },
    });
  return {
    io: {
      stdin: Readable.from([]),
      stdout: into(out),
      stderr: into(err),
      env: {},
      cwd: '/',
      homeDir: '/',
      self: { pid: 1, isAlive: () => false },
      now: () => now,
      signal: new AbortController().signal,
      ...overrides,
    },
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    advance: (ms) => (now += ms),
  };
}
