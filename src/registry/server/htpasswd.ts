// Basic authentication from an htpasswd file, bcrypt only.
import { createHash, timingSafeEqual } from 'node:crypto';
import { compare } from 'bcryptjs';
import { AirgapError } from '../../core/errors.ts';
import { Semaphore, SingleFlight } from '../../core/pool.ts';

const BCRYPT = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
/** More rounds than this (2 to the power) would take minutes for each password. */
const COST_LIMIT = 16;
/** What follows the cost in a hash of nothing anybody knows. */
const NOBODY = 'CwTycUXWue0Thq9StjUM0uJ8h6Oe7r5QyZ1v8Yk3dGmZcB1pXoE0e';
const REMEMBERED = 100;

/** Whether an Authorization header names an account of the file with its password. */
export type Authorize = (authorization: string | undefined) => Promise<boolean>;

interface Account {
  readonly hash: string;
  readonly cost: number;
}

/** @throws CONFIG_INVALID naming the line, never its content */
export function htpasswdAuthorizer(text: string): Authorize {
  const accounts = parseHtpasswd(text);
  const nobody = hashOfNobody(accounts);
  // bcrypt is slow on purpose: credentials that were right once are remembered, by their hash only
  let known: Buffer[] = [];
  const asked = new SingleFlight<string, boolean>();
  // and one at a time, so that guessing cannot starve those who are in
  const turn = new Semaphore(1);
  return async (authorization) => {
    const credentials = decodeBasic(authorization);
    if (!credentials) return false;
    const key = createHash('sha256').update(`${credentials.username}:${credentials.password}`).digest();
    if (known.some((other) => timingSafeEqual(other, key))) return true;
    return asked.run(key.toString('hex'), async () => {
      const account = accounts.get(credentials.username);
      const right = await turn.run(() => compare(credentials.password, account?.hash ?? nobody));
      if (!right || !account) return false;
      known = [...known.slice(1 - REMEMBERED), key];
      return true;
    });
  };
}

/** Compared with for accounts that do not exist, so that they take as long as those that do. */
function hashOfNobody(accounts: ReadonlyMap<string, Account>): string {
  const cost = Math.max(...[...accounts.values()].map((account) => account.cost));
  return `$2b$${String(cost).padStart(2, '0')}$${NOBODY}`;
}

function parseHtpasswd(text: string): Map<string, Account> {
  const accounts = new Map<string, Account>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    const cost = Number(BCRYPT.exec(hash)?.[1]);
    if (colon < 1 || Number.isNaN(cost) || cost < 4 || cost > COST_LIMIT) throw notAnAccount(i + 1);
    accounts.set(line.slice(0, colon), { hash, cost });
  }
  if (accounts.size === 0)
    throw new AirgapError('CONFIG_INVALID', 'the htpasswd file holds no account', {
      hint: 'Make one with: htpasswd -B FILE NAME',
    });
  return accounts;
}

function notAnAccount(line: number): AirgapError {
  return new AirgapError(
    'CONFIG_INVALID',
    `line ${line} of the htpasswd file is no account with a bcrypt hash of cost 4 to ${COST_LIMIT}`,
    { hint: 'Make it with: htpasswd -B FILE NAME' },
  );
}

function decodeBasic(authorization: string | undefined): { username: string; password: string } | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  const text = base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
