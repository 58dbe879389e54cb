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
  const [out, err] = [captured(), captured()];
  return {
    io: {
      stdin: Readable.from([]),
      stdout: out.stream,
      stderr: err.stream,
      env: {},
      cwd: '/',
      homeDir: '/',
      self: { pid: 1, isAlive: () => false },
      uid: process.getuid?.(),
      now: () => now,
      date: () => new Date('2026-01-01T00:00:00Z'),
      signal: new AbortController().signal,
      ...overrides,
    },
    stdout: out.text,
    stderr: err.text,
    advance: (ms) => (now += ms),
  };
}

function captured(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
