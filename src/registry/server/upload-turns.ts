// Whose turn it is to write to an upload. A client sends to an upload one request after the other, so a second request
// means that the first one's connection is dead, though its bytes may still be trickling in: it is ended, and what came
// of it is kept.
import type { IncomingMessage } from 'node:http';

/** Runs `write` for the upload `id` once no other request writes to it. */
export type UploadTurns = <T>(id: string, request: IncomingMessage, write: () => Promise<T>) => Promise<T>;

interface Turn {
  readonly request: IncomingMessage;
  readonly ended: Promise<unknown>;
}

export function uploadTurns(): UploadTurns {
  const turns = new Map<string, Turn>();
  return async (id, request, write) => {
    for (let before = turns.get(id); before !== undefined; before = turns.get(id)) {
      if (!before.request.complete) before.request.destroy();
      await before.ended;
    }
    const result = write().finally(() => turns.delete(id));
    turns.set(id, { request, ended: result.catch(() => undefined) });
    return result;
  };
}
