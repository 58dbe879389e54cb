// One request from its account to the end of its answer, whatever happens in between.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemErrorCode } from '../../core/errors.ts';
import type { Report } from '../../core/events.ts';
import { drain } from './body.ts';
import type { Served } from './exchange.ts';
import type { Authorize } from './htpasswd.ts';
import { RegistryFailure, writeFailure } from './reply.ts';
import { route } from './router.ts';

export interface RequestInfo {
  readonly method: string;
  /** Path and query as asked for. */
  readonly path: string;
  readonly status: number;
}

export interface Answering extends Served {
  readonly authorize?: Authorize | undefined;
  readonly onRequest?: ((info: RequestInfo) => void) | undefined;
  readonly report?: Report | undefined;
}

/** Never throws. */
export async function answer(answering: Answering, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [method, path] = [request.method ?? '', request.url ?? ''];
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  try {
    await requireAccount(answering, request);
    await route(answering, request, response);
  } catch (error) {
    // whatever fails once the client is gone is no news
    if (!(error instanceof RegistryFailure) && !request.socket.destroyed && !isHangUp(error)) {
      const message = `${method} ${path}: ${error instanceof Error ? error.message : String(error)}`;
      answering.report?.({ type: 'warning', message });
    }
    await refuse(request, response, error);
  }
  answering.onRequest?.({ method, path, status: response.statusCode });
}

async function requireAccount({ authorize }: Answering, request: IncomingMessage): Promise<void> {
  if (!authorize || (await authorize(request.headers.authorization))) return;
  throw new RegistryFailure('UNAUTHORIZED', 'an account is needed', {
    headers: { 'www-authenticate': 'Basic realm="eck-airgap"' },
  });
}

/** The other side went away. */
function isHangUp(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code !== undefined && ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code);
}

async function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
  // a body that has begun cannot become an error any more, and must not look whole
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const failure =
    error instanceof RegistryFailure ? error : new RegistryFailure('UNKNOWN', 'the registry could not do this');
  if (!request.complete) response.setHeader('connection', 'close');
  writeFailure(response, failure);
  await drain(request);
  response.end();
}
