// A page in headless Chromium, over the DevTools protocol: what it complains of, how it is laid out, and what it prints.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './process.ts';

export interface Paper {
  /** Inches. */
  readonly paperWidth: number;
  readonly paperHeight: number;
}

export const A4: Paper = { paperWidth: 8.27, paperHeight: 11.69 };
export const LETTER: Paper = { paperWidth: 8.5, paperHeight: 11 };

export interface Page {
  /** What the browser logged: errors of scripts, refused styles, violations of the page's own policy. */
  readonly complaints: readonly string[];
  /** The value of a JavaScript expression in the page. */
  value(expression: string): Promise<unknown>;
  /** Pixels of the window. */
  resize(width: number, height: number): Promise<void>;
  /** As for a screen in a colour scheme, or as for paper. */
  emulate(media: 'screen' | 'print', scheme?: 'light' | 'dark'): Promise<void>;
  pdf(paper: Paper): Promise<Buffer>;
  close(): Promise<void>;
}

/** Opens a URL in a browser of its own. It reaches no network. */
export async function openPage(url: string): Promise<Page> {
  const profile = await mkdtemp(join(tmpdir(), 'eck-airgap-chromium-'));
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-proxy-server',
    '--host-resolver-rules=MAP * ~NOTFOUND',
  ];
  const child = spawn(
    'chromium',
    [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...toolEnvironment, HOME: profile },
    },
  );
  const close = async (): Promise<void> => {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return { ...(await inspectPage(await connect(await addressOf(child.stderr)), url)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
  let said = '';
  for await (const chunk of stderr) {
    said += String(chunk);
    const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`chromium does not start: ${said.trim()}`);
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

interface Connection {
  send(method: string, params?: object, sessionId?: string): Promise<Record<string, unknown>>;
  readonly onEvent: Set<(message: Message) => void>;
}

async function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', reject, { once: true });
  });
  const waiting = new Map<number, (message: Message) => void>();
  const onEvent: Connection['onEvent'] = new Set();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) for (const listener of onEvent) listener(message);
    else waiting.get(message.id)?.(message);
  });
  let last = 0;
  return {
    onEvent,
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, ({ result = {}, error }) => {
          waiting.delete(id);
          if (error === undefined) resolve(result);
          else reject(new Error(`${method}: ${error.message}`));
        });
        socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      }),
  };
}

async function inspectPage(connection: Connection, url: string): Promise<Omit<Page, 'close'>> {
  const send: Connection['send'] = (...message) => connection.send(...message);
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true });
  const call = (method: string, params: object = {}) => send(method, params, String(sessionId));
  const complaints: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    connection.onEvent.add(({ method, params = {} }) => {
      if (method === 'Page.loadEventFired') resolve();
      if (
        ['Log.entryAdded', 'Runtime.exceptionThrown', 'Runtime.consoleAPICalled', 'Audits.issueAdded'].includes(
          method ?? '',
        )
      )
        complaints.push(JSON.stringify(params));
    });
  });
  for (const domain of ['Page', 'Log', 'Runtime', 'Audits']) await call(`${domain}.enable`);
  await call('Page.navigate', { url });
  await loaded;
  return {
    complaints,
    value: async (expression) => {
      const { result, exceptionDetails } = await call('Runtime.evaluate', { expression, returnByValue: true });
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    },
    resize: async (width, height) => {
      await call('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    },
    emulate: async (media, scheme = 'light') => {
      const features = [{ name: 'prefers-color-scheme', value: scheme }];
      await call('Emulation.setEmulatedMedia', { media, features });
    },
    pdf: async (paper) => {
      const { data } = await call('Page.printToPDF', { ...paper, printBackground: true });
      return Buffer.from(String(data), 'base64');
    },
  };
}
