// Basic authentication from an htpasswd file, bcrypt only.
import { createHash, timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import { AirgapError } from '../../core/errors.ts';

const BCRYPT = /^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$/;
/** Compared with for accounts that do not exist, so that they take as long: a hash of nothing anybody knows. */
const NOBODY = '$2b$10$CwTycUXWue0Thq9StjUM0uJ8h6Oe7r5QyZ1v8Yk3dGmZcB1pXoE0e';

/** Whether an Authorization header names an account of the file with its password. */
export type Authorize = (authorization: string | undefined) => Promise<boolean>;

/** @throws CONFIG_INVALID naming the line, never its content */
export function htpasswdAuthorizer(text: string): Authorize {
  const accounts = parseHtpasswd(text);
  // bcrypt is slow on purpose: a header that was right once is remembered, by its hash only
  let known: Buffer[] = [];
  return async (authorization) => {
    const credentials = decodeBasic(authorization);
    if (!credentials) return false;
    const key = createHash('sha256').update(`${credentials.username}:${credentials.password}`).digest();
    if (known.some((other) => timingSafeEqual(other, key))) return true;
    const right = await compare(credentials.password, accounts.get(credentials.username) ?? NOBODY);
    if (!right || !accounts.has(credentials.username)) return false;
    known = [...known.slice(-99), key];
    return true;
  };
}

function parseHtpasswd(text: string): Map<string, string> {
  const accounts = new Map<string, string>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    if (colon < 1 || !BCRYPT.test(hash)) {
      throw new AirgapError('CONFIG_INVALID', `line ${i + 1} of the htpasswd file is no account with a bcrypt hash`, {
        hint: 'Make it with: htpasswd -B FILE NAME',
      });
    }
    accounts.set(line.slice(0, colon), hash);
  }
  if (accounts.size === 0)
    throw new AirgapError('CONFIG_INVALID', 'the htpasswd file holds no account', {
      hint: 'Make one with: htpasswd -B FILE NAME',
    });
  return accounts;
}

function decodeBasic(authorization: string | undefined): { username: string; password: string } | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  const text = base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
