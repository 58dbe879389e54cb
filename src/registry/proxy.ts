// Which proxy a request goes through, from the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), by the rules of Go's
// programs (golang.org/x/net/http/httpproxy), which podman, skopeo and kubectl follow, so that one setting holds for all.
// Pure functions; how a proxy is spoken to is route.ts.
import ipaddr from 'ipaddr.js';
import { AirgapError } from '../core/errors.ts';
import { isLoopback } from './host-place.ts';

export interface Proxy {
  /** Without user name and password, so that it can be shown. */
  readonly origin: URL;
  /** Proxy-Authorization. */
  readonly authorization?: string;
  /** The variable that names it, for messages. */
  readonly variable: string;
}

export interface ProxySettings {
  /** For requests to http: URLs. */
  readonly http?: Proxy;
  /** For requests to https: URLs. */
  readonly https?: Proxy;
  /** Hosts that are asked without a proxy. */
  readonly except: readonly Exception[];
}

/** One entry of NO_PROXY. */
type Exception =
  | { readonly kind: 'all' }
  | { readonly kind: 'network'; readonly address: Address; readonly bits: number; readonly port?: string }
  /** `apex`: the domain itself too, not only the names below it. */
  | { readonly kind: 'domain'; readonly name: string; readonly apex: boolean; readonly port?: string };

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Environment = Readonly<Record<string, string | undefined>>;

/** @throws CONFIG_INVALID for what is no address of a proxy; a user name or password in it is never quoted */
export function proxySettings(env: Environment): ProxySettings {
  const http = readProxy(env, 'HTTP_PROXY');
  const https = readProxy(env, 'HTTPS_PROXY');
  return {
    ...(http === undefined ? {} : { http }),
    ...(https === undefined ? {} : { https }),
    except: (read(env, 'NO_PROXY')?.value ?? '').split(/[,\s]+/).flatMap(parseException),
  };
}

/** The proxy for requests to a URL; undefined to go there directly, as to loopback always. */
export function proxyFor(url: URL, settings: ProxySettings): Proxy | undefined {
  const proxy = url.protocol === 'https:' ? settings.https : settings.http;
  if (proxy === undefined || isLoopback(url.hostname)) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const address = ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return settings.except.some((entry) => excepts(entry, { host, address, port })) ? undefined : proxy;
}

interface Place {
  readonly host: string;
  readonly address: Address | undefined;
  readonly port: string;
}

function excepts(entry: Exception, { host, address, port }: Place): boolean {
  if (entry.kind === 'all') return true;
  if (entry.port !== undefined && entry.port !== port) return false;
  if (entry.kind === 'domain') return host.endsWith(`.${entry.name}`) || (entry.apex && host === entry.name);
  // a name is not looked up: what DNS says to us need not be what it says to the proxy
  return address?.kind() === entry.address.kind() && address.match(entry.address, entry.bits);
}

/** What cannot be understood excepts nothing, as in Go. */
function parseException(text: string): Exception[] {
  if (text === '*') return [{ kind: 'all' }];
  if (ipaddr.isValidCIDR(text)) {
    const [address, bits] = ipaddr.parseCIDR(text);
    return [{ kind: 'network', ...unmapped(address, bits) }];
  }
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]+)\]|(.*?))(?::([0-9]{1,5}))?$/.exec(text) ?? [];
  const at = port === undefined ? {} : { port };
  const literal = ipaddr.isValid(text.replace(/%.*$/, '')) ? text : (bracketed ?? plain);
  if (ipaddr.isValid(literal)) {
    const address = ipaddr.process(literal);
    const bits = address.kind() === 'ipv4' ? 32 : 128;
    return [{ kind: 'network', address, bits, ...(literal === text ? {} : at) }];
  }
  const name = plain
    .replace(/^\*(?=\.)/, '')
    .replace(/\.$/, '')
    .toLowerCase();
  const apex = !name.startsWith('.');
  return /^\.?[a-z0-9_-]/.test(name) ? [{ kind: 'domain', name: name.replace(/^\./, ''), apex, ...at }] : [];
}

/** Addresses of IPv4 written as IPv6 (::ffff:10.0.0.0/104) as IPv4. */
function unmapped(address: Address, bits: number): { address: Address; bits: number } {
  if (address.kind() !== 'ipv6' || !(address as ipaddr.IPv6).isIPv4MappedAddress() || bits < 96)
    return { address, bits };
  return { address: (address as ipaddr.IPv6).toIPv4Address(), bits: bits - 96 };
}

function readProxy(env: Environment, name: string): Proxy | undefined {
  const { variable, value } = read(env, name) ?? {};
  if (variable === undefined || value === undefined) return undefined;
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new AirgapError('CONFIG_INVALID', `${variable} is not the address of an HTTP proxy`, {
      hint: `Write ${variable}=http://[USER:PASSWORD@]HOST:PORT (or https://); a SOCKS proxy is not supported.`,
    });
  }
  const { username, password, origin } = url;
  return {
    origin: new URL(origin),
    variable,
    ...(username === '' && password === '' ? {} : { authorization: basic(username, password) }),
  };
}

/** Upper case first, as in Go; an empty value is none. */
function read(env: Environment, name: string): { variable: string; value: string } | undefined {
  for (const variable of [name, name.toLowerCase()]) {
    const value = env[variable]?.trim();
    if (value) return { variable, value };
  }
  return undefined;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`, 'utf8').toString('base64')}`;
}

/** A percent sign that was not meant as an escape stays one. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
