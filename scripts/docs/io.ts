// An Io that goes nowhere, for commands that are only described.
import { Readable, Writable } from 'node:stream';
import type { Io } from '../../src/cli/io.ts';

export function documentationIo(): Io {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  return {
    stdin: Readable.from([]),
    stdout: nowhere,
    stderr: nowhere,
    env: {},
    cwd: '/',
    homeDir: '/',
    self: { pid: 1, isAlive: () => false },
    now: () => 0,
    date: () => new Date(0),
    signal: new AbortController().signal,
  };
}
