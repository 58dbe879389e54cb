import { describe, expect, test } from 'vitest';
import { decodeText, onlyLine, requireText } from '../../src/core/text.ts';
import { thrown } from '../support/thrown.ts';

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('decodeText', () => {
  test.each([
    ['UTF-8', Buffer.from('grün')],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeffgrün')],
    ['UTF-16, little end first', utf16('grün')],
    ['UTF-16, big end first', utf16('grün').swap16()],
  ])('%s', (_case, bytes) => {
    expect(decodeText(bytes)).toBe('grün');
  });

  test.each([
    ['Latin-1', Buffer.from('grün', 'latin1')],
    ['UTF-16 without a mark', Buffer.from('gruen', 'utf16le')],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x67, 0, 0, 0])],
  ])('%s cannot be told, and is refused by name', (_case, bytes) => {
    expect(decodeText(bytes)).toBeUndefined();
    expect(thrown(() => requireText(bytes, 'airgap.yaml')).code).toBe('CONFIG_INVALID');
  });
});

test('the only line of a text keeps its blanks and loses every end of line', () => {
  expect(['s3cret', ' s 3 \r\n', 's3cret\n\n', ''].map(onlyLine)).toEqual(['s3cret', ' s 3 ', 's3cret', '']);
  expect(['one\ntwo', '\ns3cret', 'one\rtwo'].map(onlyLine)).toEqual([undefined, undefined, undefined]);
});
