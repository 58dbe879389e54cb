// Answers of the distribution API: errors in the specification's JSON with its codes (distribution-spec, "error codes").
import type { ServerResponse } from 'node:http';

const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
  UNKNOWN: 500,
} as const;

export type RegistryErrorCode = keyof typeof STATUS;

export interface FailureOptions {
  /** Where it differs from the code's usual one. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** For programs; the specification leaves its shape open. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** A refusal with one of the specification's codes; thrown by handlers, written by the server. */
export class RegistryFailure extends Error {
  readonly code: RegistryErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: Readonly<Record<string, unknown>> | undefined;

  constructor(code: RegistryErrorCode, message: string, options: FailureOptions = {}) {
    super(message);
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }
}

/** Writes all of the answer, and leaves it to the caller to end it. */
export function writeFailure(response: ServerResponse, failure: RegistryFailure): void {
  const { code, message, detail, status, headers } = failure;
  writeJson(response, status, { errors: [{ code, message, detail }] }, headers);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  writeJson(response, status, value, headers);
  response.end();
}

function writeJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(body.byteLength),
    ...headers,
  });
  if (response.req.method === 'HEAD') response.flushHeaders();
  else response.write(body);
}

export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, status === 204 ? headers : { 'content-length': '0', ...headers });
  response.end();
}
