// Answers that are errors: what a status and an error body (distribution-spec, "Error Codes") mean, and what of the body
// may be shown. Which of them can be tried again is said here; when, in attempts.ts.
import { AirgapError, isAirgapError, type ErrorCode, type ErrorOptions } from '../core/errors.ts';
import { withoutSecretsOf } from '../core/url-text.ts';
import type { Answer } from './answer.ts';
import { headerOf, readSome } from './answer.ts';
import { parseRetryAfter, waitText } from './retry-after.ts';
import { CLIENT_CERTIFICATE_HINT } from './connection-error.ts';
import type { ServerKind } from './endpoint.ts';
import { showUrl } from './url-policy.ts';

const BODY_LIMIT = 64 * 1024;
const TEXT_LIMIT = 300;

/** An answer that is an error. */
export class HttpError extends AirgapError {
  readonly status: number;
  /** Codes of the error body, upper case. */
  readonly codes: readonly string[];
  /** Milliseconds the server asks to wait; any number of them. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: ErrorOptions & { status: number; codes: readonly string[]; retryAfter: number | undefined },
  ) {
    super(code, message, options);
    this.status = options.status;
    this.codes = options.codes;
    this.retryAfter = options.retryAfter;
  }
}

export function isHttpError(error: unknown, ...statuses: readonly number[]): error is HttpError {
  return error instanceof HttpError && (statuses.length === 0 || statuses.includes(error.status));
}

/**
 * Whether a thing is not there, for questions whose usual answer is "no" (a signature, a tag that is to be set): 404 says
 * so whatever its body is. For a thing that is required, the page of a proxy is an error of its own.
 */
export function isNotThere(error: unknown): boolean {
  return isAirgapError(error, 'CONTENT_MISSING') || (isHttpError(error, 404) && isReading(error.details['method']));
}

/** Whether a response to HEAD leaves it open if the thing is there, so that GET has to decide. */
export function isUndecided(error: unknown): boolean {
  return isHttpError(error, 400, 405, 406, 501);
}

/** Reads the error body, at most 64 KiB of it, and makes the error; `now` is for Retry-After. */
export async function httpError(answer: Answer, now: number, server: ServerKind = 'registry'): Promise<HttpError> {
  const read = await readSome(answer, BODY_LIMIT); // of a HEAD too: reading ends the exchange
  const body = withoutSecretsOf(answer.url, read.toString('utf8'));
  const entries = parseErrorBody(body);
  const codes = entries.map((entry) => entry.code);
  const said = entries.map(({ code, message }) => (message === '' ? code : `${code}: ${message}`)).join('; ');
  const page = server === 'registry' ? 'a web page, not an answer of a registry' : '';
  const summary = safeText(said === '' ? (isPage(answer, body) ? page : body) : said);
  const retryAfter = parseRetryAfter(headerOf(answer, 'retry-after'), now);
  const code = server === 'registry' ? codeFor(answer, codes, body) : webCodeFor(answer);
  return new HttpError(
    code,
    `${answer.method} ${showUrl(answer.url)}: ${answer.status}${summary === '' ? '' : ` ${summary}`}${retryAfter ? ` (retry after ${waitText(retryAfter)})` : ''}`,
    {
      status: answer.status,
      codes,
      retryAfter,
      hint: hintFor(code, answer, { body, server }),
      details: {
        method: answer.method,
        url: showUrl(answer.url),
        status: answer.status,
        codes,
        ...(retryAfter === undefined ? {} : { retryAfter: Math.ceil(retryAfter / 1000) }),
      },
    },
  );
}

/** The same error, saying who asked: whether something is allowed or too much depends on that. */
export function askedBy(error: HttpError, asker: string): HttpError {
  const { code, message, ...rest } = error;
  return new HttpError(code, `${message} (asked ${asker})`, { ...rest, cause: error });
}

/** One line without control, bidirectional or invisible characters, cut to what a terminal should show. */
export function safeText(text: string): string {
  const line = text.replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > TEXT_LIMIT ? `${line.slice(0, TEXT_LIMIT)}…` : line;
}

interface ErrorEntry {
  readonly code: string;
  readonly message: string;
}

function parseErrorBody(body: string): ErrorEntry[] {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return [];
  }
  const errors: unknown = isObject(document) ? document['errors'] : undefined;
  if (!Array.isArray(errors)) return [];
  return errors
    .slice(0, 10)
    .filter(isObject)
    .flatMap(({ code, message }) =>
      typeof code === 'string'
        ? [{ code: safeText(code).toUpperCase(), message: typeof message === 'string' ? message : '' }]
        : [],
    );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPage(answer: Answer, body: string): boolean {
  return /^text\/html\b/i.test(headerOf(answer, 'content-type') ?? '') || /^\s*<(?:!doctype|html)/i.test(body);
}

function codeFor(answer: Answer, codes: readonly string[], body: string): ErrorCode {
  switch (answer.status) {
    case 401:
      return 'REGISTRY_UNAUTHORIZED';
    case 403:
      return 'REGISTRY_DENIED';
    case 404:
      return isAbsent(answer, body) ? 'CONTENT_MISSING' : 'REGISTRY_ERROR';
    case 429:
      return 'REGISTRY_RATE_LIMITED';
    default:
      if (answer.status === 400 && codes.includes('DIGEST_INVALID')) return 'DIGEST_MISMATCH';
      return answer.status >= 400 ? 'REGISTRY_ERROR' : 'REGISTRY_PROTOCOL';
  }
}

/** The status is all that a web server says: it has no error bodies that everybody understands. */
function webCodeFor(answer: Answer): ErrorCode {
  return answer.status === 404 || answer.status === 410 ? 'CONTENT_MISSING' : codeFor(answer, [], '');
}

/** The status is all that the specification asks for. A page comes from something before the registry, which cannot know. */
function isAbsent(answer: Answer, body: string): boolean {
  return isReading(answer.method) && !isPage(answer, body);
}

function isReading(method: unknown): boolean {
  return method === 'GET' || method === 'HEAD';
}

function hintFor(code: ErrorCode, answer: Answer, from: { body: string; server: ServerKind }): string | undefined {
  const { body, server } = from;
  if (code === 'REGISTRY_DENIED') return 'Ask for the right to do this there, or use another account.';
  if (code === 'REGISTRY_RATE_LIMITED')
    return 'Wait and run the same command again: what is done is not done twice. Logging in may raise the limit.';
  if (answer.status === 413) return 'Raise the limit of the proxy before the registry (nginx: client_max_body_size).';
  if (answer.status === 400 && answer.url.protocol === 'http:' && /https/i.test(body))
    return 'TLS is spoken there: leave out --plain-http, or write https://.';
  if (answer.status === 400 && /SSL certificate/i.test(body)) return CLIENT_CERTIFICATE_HINT;
  if (answer.status >= 500)
    return 'The server failed; its log may say why. Run the same command again: what is done is not done twice.';
  if (server === 'registry' && isPage(answer, body))
    return 'Something other than a registry answers there: check host, port and proxy.';
  return undefined;
}
