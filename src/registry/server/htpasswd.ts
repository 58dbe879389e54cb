// Basic authentication from an htpasswd file, bcrypt only. A check is slow on purpose, so there is one at a time and a line of
// stated length before it: guessing passwords must not keep the server from its clients.
import { createHmac, randomBytes } from 'node:crypto';
import { compare } from 'bcryptjs';
import { AirgapError } from '../../core/errors.ts';
import { Semaphore, SingleFlight } from '../../core/pool.ts';
import { RegistryFailure } from './reply.ts';

const BCRYPT = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/;
/** More rounds than this (2 to the power) would take minutes for each password. */
const COST_LIMIT = 16;
/** What follows the cost in a hash of nothing anybody knows. */
const NOBODY = 'CwTycUXWue0Thq9StjUM0uJ8h6Oe7r5QyZ1v8Yk3dGmZcB1pXoE0e';
const REMEMBERED = 100;
/** Milliseconds that credentials which were right are let in without another check. */
const REMEMBERED_FOR = 10 * 60_000;
/** Checks under way and waiting. */
const MOST_CHECKS = 16;
/** Seconds after which a client may come again. */
const RETRY_AFTER = 2;

/** Whether an Authorization header names an account of the file with its password. @throws TOOMANYREQUESTS (429) */
export type Authorize = (authorization: string | undefined) => Promise<boolean>;

interface Credentials {
  readonly username: string;
  readonly password: string;
}

interface Account {
  readonly hash: string;
  readonly cost: number;
}

/**
 * @param now milliseconds of a clock that only goes forward
 * @throws CONFIG_INVALID naming the line, never its content
 */
export function htpasswdAuthorizer(text: string, now = (): number => performance.now()): Authorize {
  const accounts = parseHtpasswd(text);
  const nobody = hashOfNobody(accounts);
  const known = new KnownCredentials(now);
  const checks = new SingleFlight<string, boolean>();
  const turn = new Semaphore(1);
  let waiting = 0;
  const check = async ({ username, password }: Credentials): Promise<boolean> => {
    if (waiting === MOST_CHECKS) throw tooMany();
    waiting++;
    try {
      const account = accounts.get(username);
      const right = await turn.run(() => compare(password, account?.hash ?? nobody));
      return right && account !== undefined;
    } finally {
      waiting--;
    }
  };
  return async (authorization) => {
    const credentials = decodeBasic(authorization);
    if (!credentials) return false;
    const key = known.keyOf(credentials);
    if (known.has(key)) return true;
    return checks.run(key, async () => {
      const right = await check(credentials);
      if (right) known.add(key);
      return right;
    });
  };
}

/** Credentials that were right a short while ago, by a hash with a key that only this process has. */
class KnownCredentials {
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** Until when; the oldest first. */
  readonly #until = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  keyOf({ username, password }: Credentials): string {
    return createHmac('sha256', this.#secret).update(`${username}:${password}`).digest('hex');
  }

  has(key: string): boolean {
    return (this.#until.get(key) ?? -Infinity) > this.#now();
  }

  add(key: string): void {
    this.#until.delete(key);
    this.#until.set(key, this.#now() + REMEMBERED_FOR);
    const [oldest] = this.#until.keys();
    if (this.#until.size > REMEMBERED && oldest !== undefined) this.#until.delete(oldest);
  }
}

function tooMany(): RegistryFailure {
  return new RegistryFailure('TOOMANYREQUESTS', 'too many passwords are being checked', {
    headers: { 'retry-after': String(RETRY_AFTER) },
  });
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

function decodeBasic(authorization: string | undefined): Credentials | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '') ?? [];
  const text = base64 === undefined ? '' : Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
