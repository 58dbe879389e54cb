// Which proxy a request goes through: a table of environments, URLs and answers.
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { proxyFor, proxySettings } from '../../src/registry/proxy.ts';
import { thrown } from '../support/thrown.ts';

const PROXY = 'http://proxy.example:3128';

const chosen = (env: Record<string, string>, url: string) =>
  proxyFor(new URL(url), proxySettings(env))?.origin.origin ?? 'direct';

describe('the variables', () => {
  test.each<[string, Record<string, string>, string, string]>([
    ['none is direct', {}, 'https://a.example', 'direct'],
    ['HTTPS_PROXY is for https', { HTTPS_PROXY: PROXY }, 'https://a.example', PROXY],
    ['HTTPS_PROXY is not for http', { HTTPS_PROXY: PROXY }, 'http://a.example', 'direct'],
    ['HTTP_PROXY is for http', { HTTP_PROXY: PROXY }, 'http://a.example', PROXY],
    ['HTTP_PROXY is not for https', { HTTP_PROXY: PROXY }, 'https://a.example', 'direct'],
    ['in lower case', { https_proxy: PROXY }, 'https://a.example', PROXY],
    ['upper case before lower case', { HTTPS_PROXY: PROXY, https_proxy: 'http://other' }, 'https://a.example', PROXY],
    ['an empty one is none', { HTTPS_PROXY: '', https_proxy: PROXY }, 'https://a.example', PROXY],
    ['without a scheme it is http', { HTTPS_PROXY: 'proxy.example:3128' }, 'https://a.example', PROXY],
    ['spoken to in TLS', { HTTPS_PROXY: 'https://proxy.example' }, 'https://a.example', 'https://proxy.example'],
    ['path and password are not its address', { HTTPS_PROXY: `http://u:p@proxy.example:3128/x` }, 'https://a.b', PROXY],
    ['no_proxy in lower case', { HTTPS_PROXY: PROXY, no_proxy: 'a.example' }, 'https://a.example', 'direct'],
  ])('%s', (_what, env, url, proxy) => {
    expect(chosen(env, url)).toBe(proxy);
  });

  test.each([
    ['u:p@proxy.example', 'Basic dTpw'],
    ['us%40er:p%3Aw%25@proxy.example', `Basic ${Buffer.from('us@er:p:w%').toString('base64')}`],
    ['u:100%@proxy.example', `Basic ${Buffer.from('u:100%').toString('base64')}`],
    ['user@proxy.example', `Basic ${Buffer.from('user:').toString('base64')}`],
    ['proxy.example', undefined],
  ])('%s authorizes itself', (address, authorization) => {
    const { https } = proxySettings({ HTTPS_PROXY: `http://${address}` });
    expect(https?.authorization).toBe(authorization);
    expect(https?.origin.href).toBe('http://proxy.example/');
  });

  test.each([
    'socks5://u:hunter2@proxy.example',
    'ftp://proxy',
    'http://u:hunter2@',
    'http://u:hunter2@pro xy:1',
    '::',
  ])('what is no HTTP proxy is refused, and not quoted (%#)', (value) => {
    const error = thrown(() => proxySettings({ https_proxy: value }));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message).toContain('https_proxy');
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });
});

describe('NO_PROXY', () => {
  const through = (except: string, url: string) =>
    chosen({ HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, NO_PROXY: except }, url) === PROXY;

  test.each<[string, string, 'direct' | 'proxy']>([
    ['*', 'https://a.example', 'direct'],
    ['x.example, *', 'https://a.example', 'direct'],
    // a name is that host and all below it
    ['example.com', 'https://example.com', 'direct'],
    ['example.com', 'https://www.example.com', 'direct'],
    ['example.com', 'https://notexample.com', 'proxy'],
    ['example.com', 'https://example.com.evil.example', 'proxy'],
    ['EXAMPLE.com', 'https://Example.COM', 'direct'],
    ['example.com', 'https://example.com./x', 'direct'],
    ['example.com.', 'https://example.com', 'direct'],
    // with a dot in front, those below it alone
    ['.example.com', 'https://www.example.com', 'direct'],
    ['.example.com', 'https://a.b.example.com', 'direct'],
    ['.example.com', 'https://example.com', 'proxy'],
    ['*.example.com', 'https://www.example.com', 'direct'],
    ['*.example.com', 'https://example.com', 'proxy'],
    // ports
    ['example.com:443', 'https://example.com', 'direct'],
    ['example.com:443', 'https://example.com:8443', 'proxy'],
    ['example.com:80', 'http://example.com', 'direct'],
    ['example.com:80', 'https://example.com', 'proxy'],
    ['.example.com:5000', 'https://r.example.com:5000', 'direct'],
    ['.example.com:5000', 'https://r.example.com', 'proxy'],
    // addresses
    ['10.1.2.3', 'https://10.1.2.3', 'direct'],
    ['10.1.2.3', 'https://10.1.2.4', 'proxy'],
    ['10.1.2.3:5000', 'https://10.1.2.3:5000', 'direct'],
    ['10.1.2.3:5000', 'https://10.1.2.3', 'proxy'],
    ['2001:db8::1', 'https://[2001:db8::1]', 'direct'],
    ['[2001:db8::1]', 'https://[2001:db8::1]', 'direct'],
    ['[2001:db8::1]:5000', 'https://[2001:db8::1]:5000', 'direct'],
    ['[2001:db8::1]:5000', 'https://[2001:db8::1]', 'proxy'],
    ['2001:db8::1', 'https://[2001:db8::2]', 'proxy'],
    // networks
    ['10.0.0.0/8', 'https://10.255.0.1:5000', 'direct'],
    ['10.0.0.0/8', 'https://11.0.0.1', 'proxy'],
    ['10.96.0.0/12', 'https://10.111.255.255', 'direct'],
    ['10.96.0.0/12', 'https://10.112.0.0', 'proxy'],
    ['192.168.1.77/24', 'https://192.168.1.1', 'direct'],
    ['10.0.0.0/8', 'https://[::ffff:10.0.0.1]', 'direct'],
    ['::ffff:10.0.0.0/104', 'https://10.9.9.9', 'direct'],
    ['fd00::/8', 'https://[fd12::1]', 'direct'],
    ['fd00::/8', 'https://[2001:db8::1]', 'proxy'],
    ['0.0.0.0/0', 'https://[2001:db8::1]', 'proxy'],
    ['::/0', 'https://10.0.0.1', 'proxy'],
    ['10.0.0.0/8', 'https://ten.example', 'proxy'],
    // lists, and what means nothing
    ['a.example,b.example c.example', 'https://b.example', 'direct'],
    ['a.example,b.example c.example', 'https://c.example', 'direct'],
    [' , ,', 'https://a.example', 'proxy'],
    ['10.0.0.0/99', 'https://10.0.0.1', 'proxy'],
    ['.', 'https://a.example', 'proxy'],
    ['', 'https://a.example', 'proxy'],
  ])('%j: %s is %s', (except, url, way) => {
    expect(through(except, url)).toBe(way === 'proxy');
  });

  test.each([
    'http://localhost',
    'https://127.0.0.1:5000',
    'https://127.9.9.9',
    'http://[::1]:5000',
    'https://a.localhost',
  ])('%s is never asked through a proxy, as in Go', (url) => expect(through('', url)).toBe(false));
});
