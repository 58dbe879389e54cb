import { describe, expect, test } from 'vitest';
import { AirgapError } from '../../src/core/errors.ts';
import { openOutput } from '../../src/cli/output.ts';
import { testIo } from '../support/io.ts';

const failure = new AirgapError('VOLUME_MISSING', 'volume 2 is missing', {
  hint: 'Insert it.',
  details: { volume: 2 },
});

describe('a failure', () => {
  test('is one line on stderr with its code, and a hint, and its exit status', async () => {
    const { io, stdout, stderr } = testIo();
    const output = await openOutput(io, {});
    expect(output.fail(failure)).toBe(4);
    expect(stderr()).toBe('Error: volume 2 is missing [VOLUME_MISSING]\nHint: Insert it.\n');
    expect(stdout()).toBe('');
  });

  test('is one JSON document on stdout with --json', async () => {
    const { io, stdout } = testIo();
    (await openOutput(io, { json: true })).fail(failure);
    expect(JSON.parse(stdout())).toEqual({
      apiVersion: 'eck-airgap/v1',
      kind: 'Failure',
      error: {
        code: 'VOLUME_MISSING',
        message: 'volume 2 is missing',
        exitStatus: 4,
        meaning: 'A numbered volume of the bundle is missing.',
        hint: 'Insert it.',
        details: { volume: 2 },
      },
    });
  });

  test('shows what led to it only when asked, and never where in the program', async () => {
    const caused = new AirgapError('IO_FAILED', 'cannot', {
      cause: new Error('why', { cause: new Error('at\nfirst') }),
    });
    const quiet = testIo();
    (await openOutput(quiet.io, {})).fail(caused);
    const verbose = testIo();
    (await openOutput(verbose.io, { verbose: true })).fail(caused);
    expect(quiet.stderr()).toBe('Error: cannot [IO_FAILED]\n');
    expect(verbose.stderr()).toBe('Error: cannot [IO_FAILED]\nCaused by: Error: why\nCaused by: Error: at\\nfirst\n');
  });

  test('of the program itself says where, when asked', async () => {
    const { io, stderr } = testIo();
    (await openOutput(io, { verbose: true })).fail(new TypeError('x is undefined'));
    expect(stderr()).toContain('output.test.ts');
  });

  test('that nobody foresaw says that it is ours', async () => {
    const { io, stderr } = testIo();
    expect((await openOutput(io, {})).fail(new TypeError('x is undefined'))).toBe(1);
    expect(stderr()).toContain('[INTERNAL]');
    expect(stderr()).not.toContain('output.test.ts');
  });
});

test('escape sequences of a hostile text never reach the terminal', async () => {
  const { io, stdout } = testIo();
  (await openOutput(io, {})).result({ kind: 'Test' }, ['\u001b]0;title\u0007name\u001b[2J\r\u202egpj.exe']);
  expect(stdout()).not.toMatch(/[\u001b\u0007\r\u202e]/);
});

test('--quiet prints no progress, and warnings still', async () => {
  const { io, stderr } = testIo();
  const output = await openOutput(io, { quiet: true });
  output.report({ type: 'phase', phase: 'fetching', total: 10 });
  output.report({ type: 'warning', message: 'careful' });
  expect(stderr()).toBe('Warning: careful\n');
});
