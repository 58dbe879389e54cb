// Requests that no HTTP client would send, as bytes on a connection, and what came back before it ended.
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when `pattern` was received. @throws when the connection ends before */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with all that was received when the other side has ended the connection. */
  readonly ended: Promise<string>;
}

export function rawConnection(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let changed = (): void => undefined;
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    changed();
  });
  // a reset is an end like another: what had been received counts
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(text)));
  return {
    socket,
    ended,
    until: async (pattern) => {
      for (;;) {
        const found = pattern.exec(text);
        if (found) return found;
        if (socket.destroyed) throw new Error(`the connection ended after: ${text.slice(0, 500)}`);
        await Promise.race([ended, new Promise<void>((resolve) => (changed = resolve))]);
      }
    },
  };
}

/** Sends the lines of a request's head and `body`, and answers all that comes back until the connection ends. */
export async function rawRequest(port: number, head: readonly string[], body: string | Buffer = ''): Promise<string> {
  const connection = rawConnection(port);
  connection.socket.write(`${head.join('\r\n')}\r\n\r\n`);
  connection.socket.write(body);
  return connection.ended;
}
