// Www-Authenticate (RFC 9110 §11.6.1), read strictly: a header that is not by the grammar is not guessed at.
import { AirgapError } from '../core/errors.ts';

export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case; empty for a challenge with a token68 or with nothing. */
  readonly parameters: ReadonlyMap<string, string>;
}

const LIMIT = 8192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"/y;
const EQUALS = /[ \t]*=[ \t]*/y;
const SPACE = /[ \t]+/y;
const COMMAS = /[ \t]*(?:,[ \t]*)+/y;
const NEXT_PARAMETER = /[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*=[ \t]*(?=["!#$%&'*+.^_`|~0-9A-Za-z-])/y;

/**
 * All challenges of all headers that can be read, in order. @throws REGISTRY_PROTOCOL when none can
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  const lines = headers === undefined ? [] : typeof headers === 'string' ? [headers] : headers;
  const failures: unknown[] = [];
  const challenges = lines.flatMap((line) => {
    try {
      return parseLine(line);
    } catch (error) {
      failures.push(error);
      return [];
    }
  });
  if (challenges.length === 0 && failures.length > 0) throw failures[0];
  return challenges;
}

function parseLine(line: string): Challenge[] {
  if (line.length > LIMIT) throw malformed('it is too long');
  const text = new Scanner(line.trim());
  const challenges: Challenge[] = [];
  text.take(COMMAS);
  while (!text.ended()) {
    challenges.push(parseChallenge(text));
    if (!text.ended()) text.need(COMMAS, 'comma');
  }
  return challenges;
}

function parseChallenge(text: Scanner): Challenge {
  const scheme = text.need(TOKEN, 'scheme').toLowerCase();
  const parameters = new Map<string, string>();
  if (text.take(SPACE) === undefined) return { scheme, parameters };
  if (!text.sees(NEXT_PARAMETER) && text.take(TOKEN68) !== undefined) return { scheme, parameters };
  do {
    const name = text.need(TOKEN, 'parameter').toLowerCase();
    text.need(EQUALS, '"="');
    if (parameters.has(name)) throw malformed(`${name} is given twice`);
    parameters.set(name, parseValue(text));
  } while (text.takeIfFollowed(COMMAS, NEXT_PARAMETER));
  return { scheme, parameters };
}

function parseValue(text: Scanner): string {
  const quoted = text.take(QUOTED);
  return quoted === undefined ? text.need(TOKEN, 'value') : quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** A position in a text that moves over what sticky patterns match. */
class Scanner {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  ended(): boolean {
    return this.position >= this.#text.length;
  }

  sees(pattern: RegExp): boolean {
    return this.#match(pattern, this.position) !== undefined;
  }

  take(pattern: RegExp): string | undefined {
    const found = this.#match(pattern, this.position);
    this.position += found?.length ?? 0;
    return found;
  }

  need(pattern: RegExp, what: string): string {
    const found = this.take(pattern);
    if (found === undefined) throw malformed(`no ${what} at ${this.position}`);
    return found;
  }

  /** Moves over `first` only where `second` comes after it. */
  takeIfFollowed(first: RegExp, second: RegExp): boolean {
    const length = this.#match(first, this.position)?.length ?? 0;
    const followed = length > 0 && this.#match(second, this.position + length) !== undefined;
    if (followed) this.position += length;
    return followed;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0];
  }
}

function malformed(why: string): AirgapError {
  return new AirgapError('REGISTRY_PROTOCOL', `the server sent a Www-Authenticate header that cannot be read: ${why}`);
}
