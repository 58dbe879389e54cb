// One credentials file, as `docker login` and `podman login` write it (docker config.json; containers-auth.json(5)).
// Where the files are is credentials.ts; how a helper is asked is credential-helper.ts. Hosts match exactly and paths
// by whole components: a suffix or a prefix of a name is another name.
import * as v from 'valibot';
import { AirgapError, isAirgapError, systemErrorCode } from '../core/errors.ts';
import { readNamed } from '../core/named-file.ts';
import { collect } from '../core/streams.ts';
import { decodeText } from '../core/text.ts';
import { canonicalHost } from '../oci/reference.ts';
import type { Credential } from './credential.ts';

const EntrySchema = v.object({
  auth: v.nullish(v.string()),
  username: v.nullish(v.string()),
  password: v.nullish(v.string()),
  identitytoken: v.nullish(v.string()),
  registrytoken: v.nullish(v.string()),
});

const notArray = v.custom<object>((value) => !Array.isArray(value));

// Docker keeps much else in the same file.
const FileSchema = v.pipe(
  notArray,
  v.object({
    auths: v.nullish(v.pipe(notArray, v.record(v.string(), v.nullish(EntrySchema)))),
    credHelpers: v.nullish(v.pipe(notArray, v.record(v.string(), v.string()))),
    credsStore: v.nullish(v.string()),
  }),
);

/** Bytes; Docker keeps much else in the same file. */
const FILE_LIMIT = 16 * 1024 * 1024;

type Entry = v.InferOutput<typeof EntrySchema>;

/** What one file knows. Keys of `entries` are `host[/path]`, those of `helpers` hosts. */
export interface AuthFile {
  readonly path: string;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly helpers: ReadonlyMap<string, string>;
  readonly store: string | undefined;
}

/** Reads a credentials file; undefined where there is none. @throws CREDENTIALS_INVALID, which never quotes the file */
export async function readAuthFile(path: string): Promise<AuthFile | undefined> {
  let bytes: Buffer;
  try {
    bytes = await collect(readNamed(path), FILE_LIMIT);
  } catch (error) {
    const failure = isAirgapError(error) ? (error.cause ?? error) : error;
    const code = systemErrorCode(failure);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw invalid(path, isAirgapError(failure) ? 'is not a file' : `cannot be read (${code ?? 'unknown error'})`);
  }
  return parseAuthFile(bytes, path);
}

/**
 * The credential for a repository by the longest key that covers it, or for the host alone where no repository is named.
 * @throws CREDENTIALS_INVALID when that entry cannot be understood
 */
export function storedCredential(file: AuthFile, host: string, repository?: string): Credential | undefined {
  for (const key of coveringKeys(host, repository)) {
    const entry = file.entries.get(key);
    const credential =
      entry && credentialOf(entry, () => invalid(file.path, `has an entry for ${key} that cannot be understood`));
    if (credential) return { ...credential, from: file.path };
  }
  return undefined;
}

function parseAuthFile(bytes: Buffer, path: string): AuthFile {
  const text = decodeText(bytes);
  if (text === undefined) throw invalid(path, 'is not text');
  const result = v.safeParse(FileSchema, text.trim() === '' ? {} : parseJson(text, path));
  // the message would quote what it found
  if (!result.success)
    throw invalid(
      path,
      `does not have the shape of a credentials file at ${v.getDotPath(result.issues[0]) ?? 'its top'}`,
    );
  const { auths, credHelpers, credsStore } = result.output;
  const helpers = Object.entries(credHelpers ?? {}).filter(([, helper]) => helper !== '');
  return {
    path,
    entries: new Map(inOrderOfTrust(Object.entries(auths ?? {})).map(([key, entry]) => [canonicalKey(key), entry])),
    helpers: new Map(helpers.map(([key, helper]) => [canonicalKey(key), helper])),
    store: credsStore || undefined,
  };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid(path, 'is not JSON');
  }
}

/** Later ones win: a plain host is written by newer programs than a URL. Docker leaves empty entries for its stores. */
function inOrderOfTrust(entries: [string, Entry | null | undefined][]): [string, Entry][] {
  const full = entries.filter((pair): pair is [string, Entry] => Object.values(pair[1] ?? {}).some(Boolean));
  return [...full.filter(([key]) => isUrl(key)), ...full.filter(([key]) => !isUrl(key))];
}

function isUrl(key: string): boolean {
  return /^https?:\/\//.test(key);
}

/** `https://host/v1/` is the host; `host/namespace/repository` keeps its path. */
function canonicalKey(key: string): string {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').split('/');
  const components = isUrl(key) ? [] : path.filter((component) => component !== '');
  return [canonicalHost(host), ...components].join('/');
}

function coveringKeys(host: string, repository = ''): string[] {
  const components = repository.split('/').filter((component) => component !== '');
  return Array.from({ length: components.length + 1 }, (_, left) =>
    [host, ...components.slice(0, components.length - left)].join('/'),
  );
}

function credentialOf(entry: Entry, malformed: () => AirgapError): Credential | undefined {
  const basic = basicOf(entry, malformed);
  if (entry.registrytoken) return { kind: 'bearer', token: headerSafe(entry.registrytoken, malformed) };
  if (entry.identitytoken) {
    return {
      kind: 'identity-token',
      token: entry.identitytoken,
      ...(basic?.username ? { username: basic.username } : {}),
    };
  }
  return basic && { kind: 'basic', ...basic };
}

function basicOf(entry: Entry, malformed: () => AirgapError): { username: string; password: string } | undefined {
  if (!entry.auth) return entry.username ? { username: entry.username, password: entry.password ?? '' } : undefined;
  const encoded = entry.auth.trim();
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || colon < 0) throw malformed();
  // Docker pads some passwords with NUL
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') };
}

function headerSafe(token: string, malformed: () => AirgapError): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw malformed();
  return token;
}

function invalid(path: string, why: string): AirgapError {
  return new AirgapError('CREDENTIALS_INVALID', `credentials file ${path} ${why}`, {
    hint: 'Correct that file, or name another with --authfile or REGISTRY_AUTH_FILE.',
  });
}
