import { describe, expect, test } from 'vitest';
import { AirgapError, errorCatalogue, fileError, isAirgapError, systemErrorCode } from '../../src/core/errors.ts';

function systemError(code: string, message = `${code}: the system says no`): Error {
  return Object.assign(new Error(message), { code });
}

describe('AirgapError', () => {
  test('has the exit status of its code', () => {
    expect(new AirgapError('DIGEST_MISMATCH', 'x').exitStatus).toBe(3);
    expect(new AirgapError('INTERRUPTED', 'x').exitStatus).toBe(130);
    for (const { exit, meaning } of Object.values(errorCatalogue)) {
      expect([1, 2, 3, 4, 130]).toContain(exit);
      expect(meaning).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('keeps hint, cause and details, and has none by itself', () => {
    const cause = new Error('why');
    const full = new AirgapError('IO_FAILED', 'what', { hint: 'next', cause, details: { path: '/x' } });
    expect([full.hint, full.cause, full.details]).toEqual(['next', cause, { path: '/x' }]);
    const bare = new AirgapError('IO_FAILED', 'what');
    expect([bare.hint, 'cause' in bare, bare.details]).toEqual([undefined, false, {}]);
  });

  test('is told from others, and by code', () => {
    const error = new AirgapError('IO_FAILED', 'x');
    expect([
      isAirgapError(error),
      isAirgapError(error, 'DISK_FULL', 'IO_FAILED'),
      isAirgapError(error, 'DISK_FULL'),
      isAirgapError(new Error('x')),
      isAirgapError({ code: 'IO_FAILED' }),
    ]).toEqual([true, true, false, false, false]);
  });
});

describe('systemErrorCode', () => {
  test('is looked for along the causes, and a loop of causes has an end', () => {
    const wrapped = new TypeError('fetch failed', { cause: new Error('socket', { cause: systemError('ECONNRESET') }) });
    expect(systemErrorCode(wrapped)).toBe('ECONNRESET');
    const loop = new Error('loop');
    loop.cause = loop;
    expect(systemErrorCode(loop)).toBeUndefined();
    expect(systemErrorCode(new DOMException('aborted', 'AbortError'))).toBeUndefined();
    expect(systemErrorCode('ENOENT')).toBeUndefined();
  });
});

describe('fileError', () => {
  test.each([
    ['ENOENT', 'FILE_NOT_FOUND'],
    ['EEXIST', 'FILE_EXISTS'],
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'IO_FAILED'],
    ['EPERM', 'IO_FAILED'],
    ['EROFS', 'IO_FAILED'],
    ['EBUSY', 'IO_FAILED'],
    ['EIO', 'IO_FAILED'],
    ['EFBIG', 'IO_FAILED'],
    ['EMFILE', 'IO_FAILED'],
    ['ENFILE', 'IO_FAILED'],
    ['EISDIR', 'PATH_INVALID'],
    ['ENOTDIR', 'PATH_INVALID'],
    ['ELOOP', 'PATH_INVALID'],
    ['ENAMETOOLONG', 'PATH_INVALID'],
    ['EWHATEVER', 'IO_FAILED'],
  ])('%s is %s, and names action and path', (code, expected) => {
    const cause = systemError(code);
    const error = fileError(cause, 'write', '/media/usb/site.tar') as AirgapError;
    expect([error.code, error.cause]).toEqual([expected, cause]);
    expect(error.message).toContain('cannot write /media/usb/site.tar');
    if (code !== 'EWHATEVER') expect(error.message).not.toContain('the system says no');
  });

  test('what is not there is said in words', () => {
    expect((fileError(systemError('ENOENT'), 'read', 'nothing') as AirgapError).message).toBe(
      'cannot read nothing: no such file or folder',
    );
  });

  test('a name that Node could not decode is not called absent', () => {
    const error = fileError(systemError('ENOENT'), 'read', '/media/f\uFFFDr') as AirgapError;
    expect([error.code, error.message]).toEqual(['FILE_NOT_FOUND', expect.stringMatching(/not valid UTF-8/)]);
    expect(error.hint).toContain('ln -s');
  });

  test('what is too large for a file system has volumes for a way out, and too many files the limit', () => {
    expect((fileError(systemError('EFBIG'), 'write', 'site.tar') as AirgapError).hint).toContain('--volume-size');
    expect((fileError(systemError('EMFILE'), 'read', 'site.tar') as AirgapError).hint).toContain('ulimit -n');
  });

  test('what is no failure of a file passes unchanged', () => {
    const known = new AirgapError('DIGEST_MISMATCH', 'x', { cause: systemError('ENOENT') });
    const defect = new TypeError('not a function');
    for (const error of [known, defect, 'text', undefined]) expect(fileError(error, 'read', '/x')).toBe(error);
  });
});
