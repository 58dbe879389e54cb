import { describe, expect, test } from 'vitest';
import { recordableUrl, withoutSecretsOf, withoutUrlSecrets } from '../../src/core/url-text.ts';

describe('a URL that is recorded', () => {
  test.each([
    ['https://h.example/a.tgz?sig=secret', 'https://h.example/a.tgz'],
    ['https://h.example/a.tgz#secret', 'https://h.example/a.tgz'],
    ['https://user:secret@h.example:8443/a', 'https://h.example:8443/a'],
    ['https://secret@h.example/a', 'https://h.example/a'],
    ['https://h.example/a?', 'https://h.example/a'],
    ['https://h.example', 'https://h.example'],
    ['https://H.example/A%20b', 'https://H.example/A%20b'],
  ])('%s is %s', (url, recorded) => {
    expect(recordableUrl(url)).toBe(recorded);
  });
});

describe('a message', () => {
  test.each([
    'https://u:secret@h/a',
    'https://secret@h/a',
    'https://h/a?sig=secret',
    'https://h/a#secret',
    'ftp://h?secret',
    'see "https://h/?x=secret" there',
    '//u:secret@h',
    'user:secret@h.example:5000',
    'https://[bad?secret',
    'h.example?token=secret',
    'two: https://a/?secret https://u:secret@b/',
  ])('about %s has no secret', (text) => {
    expect(withoutUrlSecrets(text)).not.toContain('secret');
  });

  test.each([
    'registry.example/app:1.0@sha256:0123',
    'what? no',
    'docker.elastic.co/kibana/kibana:9.5.2',
    'https://h.example/a.tgz',
    'mail to someone@example',
  ])('%s is left as it is', (text) => {
    expect(withoutUrlSecrets(text)).toBe(text);
  });

  test.each(['a', 'a:', '//', 'a?', '@'])('about a megabyte of %j is cut before it is searched', (piece) => {
    expect(withoutUrlSecrets(piece.repeat(1_000_000)).length).toBeLessThanOrEqual(2100);
  });

  test('of a server does not repeat the query that it was sent, nor a header of ours', () => {
    const url = new URL('https://h/a?X-Amz-Signature=abc%2Fdef&se=1');
    const said = 'no: X-Amz-Signature=abc%2Fdef (abc/def), 1 of Authorization: Basic dXNlcjpwdw== Bearer eyJhbGci';
    expect(withoutSecretsOf(url, said)).not.toMatch(/abc|dXNlc|eyJh/);
    expect(withoutSecretsOf(url, said)).toContain('1 of Authorization');
  });
});
