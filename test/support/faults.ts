// Ways for a registry to misbehave, for FaultyRegistry.misbehave.
import type { Fault, FaultyCall, FaultyReply } from './faulty-registry.ts';
import { registryError, type Reply } from './memory-registry.ts';

const RESET = 'reset' as const;

/** Takes the whole request and answers this in place of doing it. */
export function answers(status: number, headers: Reply['headers'] = {}, body: Reply['body'] = Buffer.alloc(0)): Fault {
  return async (call) => {
    await call.read();
    return { status, headers, body };
  };
}

/** Takes the whole request and answers an error as the specification writes it. */
export function answersError(status: number, code: string): Fault {
  return async (call) => {
    await call.read();
    return registryError(status, code);
  };
}

/** What a proxy or a load balancer answers, rather than the registry. */
export function answersHtml(status: number): Fault {
  return answers(status, { 'content-type': 'text/html' }, Buffer.from(`<html><h1>${status}</h1>`));
}

/** Answers an error to what has such text in its body, and does the right thing with anything else. */
export function refusesContent(text: RegExp, status: number, code: string): Fault {
  return async (call) => {
    const bytes = await call.read();
    return text.test(bytes.toString('latin1'))
      ? registryError(status, code)
      : call.registry.memory.handle({ ...call, read: async () => bytes });
  };
}

/** Lets a tag be set once, and not moved. */
export const keepsTags: Fault = async (call) => {
  const bytes = await call.read();
  const [, name = '', tag = ''] = /^\/v2\/(.+)\/manifests\/([^:]+)$/.exec(call.url.pathname) ?? [];
  const reply = (): Promise<Reply> => call.registry.memory.handle({ ...call, read: async () => bytes });
  const before = call.registry.memory.repository(name).tags.get(tag);
  if (before === undefined) return reply();
  const again = call.registry.memory.repository(name).manifests.get(before)?.bytes.equals(bytes) === true;
  return again ? reply() : registryError(400, 'TAG_INVALID');
};

/** Does the right thing and then answers something else. */
export function changes(change: (reply: Reply, call: FaultyCall) => FaultyReply): Fault {
  return async (call, proceed) => change(await proceed(), call);
}

/** Does the right thing and adds or replaces headers of the answer; undefined removes one. */
export function changesHeaders(headers: Readonly<Record<string, string | undefined>>): Fault {
  return changes((reply) => ({
    ...reply,
    headers: Object.fromEntries(
      Object.entries({ ...reply.headers, ...headers }).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
  }));
}

/** Cuts the connection when this much of the right answer is sent. */
export function resetsAfterSending(bytes: number): Fault {
  return changes((reply) => ({ ...reply, resetAfter: bytes }));
}

/** Closes the connection when this much of the right answer is sent, as a server does that ends in the middle. */
export function endsAfterSending(bytes: number): Fault {
  return changes((reply) => {
    const body = reply.body as Uint8Array;
    return {
      ...reply,
      headers: { ...reply.headers, 'content-length': String(body.byteLength) },
      body: body.subarray(0, bytes),
      raw: true,
    };
  });
}

/** Stores this much of an upload's request and cuts the connection. */
export function resetsAfterReceiving(bytes: number): Fault {
  return async (call) => {
    keep(call, (await call.readSome(bytes)).subarray(0, bytes));
    return RESET;
  };
}

/** Cuts the connection before anything is done. */
export const resets: Fault = () => 'reset';

/** Does the right thing and then cuts the connection, so that the client cannot know. */
export const losesTheAnswer: Fault = async (_call, proceed) => {
  await proceed();
  return RESET;
};

/** Stores only this much of an upload's request, and says so in the way of a right answer. */
export function storesOnly(bytes: number): Fault {
  return async (call, proceed) => {
    const upload = uploadOf(call);
    const before = upload.bytes;
    const reply = await proceed();
    upload.bytes = upload.bytes.subarray(0, before.length + bytes);
    return { ...reply, headers: { ...reply.headers, range: `0-${upload.bytes.length - 1}` } };
  };
}

/** Never ends. */
export async function* endless(chunk = Buffer.alloc(64 * 1024, 'x')): AsyncGenerator<Uint8Array> {
  for (;;) yield chunk;
}

function keep(call: FaultyCall, bytes: Buffer): void {
  const upload = uploadOf(call);
  upload.bytes = Buffer.concat([upload.bytes, bytes]);
}

function uploadOf(call: FaultyCall): { bytes: Buffer } {
  const id = call.url.pathname.split('/').at(-1) ?? '';
  const upload = call.registry.memory.uploads.get(id);
  if (!upload) throw new Error(`no upload ${id}`);
  return upload;
}
