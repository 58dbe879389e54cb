import { setFlagsFromString } from 'node:v8';
import { imagesOf } from '../../bundle/counted-images.ts';
import { openBundle } from '../../bundle/reader.ts';
import { AirgapError, type ErrorCode } from '../../core/errors.ts';
import { bundleStore } from '../../install/bundle-store.ts';
import { requireUnexpired } from '../../install/newer-bundle.ts';
import { serveRegistry, type ServeOptions } from '../../registry/server/server.ts';
import { bundleFacts } from '../bundle-facts.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { pathOf, readText, stringFlag, trustedKeys, withKeyFlag } from '../flags.ts';

export const serveCommand: CommandModule = {
  name: 'serve',
  summary: 'Serve the images of a bundle as a registry, straight from the media.',
  define: (command) =>
    withKeyFlag(command.argument('<bundle...>', 'the tar, its first volume, or the media folder'))
      .option('--listen <host:port>', 'address to listen on; port 0 picks one', '127.0.0.1:5000')
      .option('--tls-cert <file>', 'certificate chain (PEM)')
      .option('--tls-key <file>', 'private key of the certificate (PEM)')
      .option('--htpasswd <file>', 'ask for an account: a file of bcrypt lines (htpasswd -B)')
      .option('--allow-expired', 'serve a bundle that is past its time')
      .option('--plain-http', 'allow listening beyond loopback without TLS')
      .addHelpText(
        'after',
        '\nExample:\n  eck-airgap serve /media/usb --key airgap.pub --listen 0.0.0.0:5000 --tls-cert crt.pem --tls-key key.pem\n',
      ),
  run: async (context) => {
    const options = await serveOptions(context);
    const paths = context.args.map((path) => pathOf(context, path));
    const bundle = await openBundle(paths, {
      keys: await trustedKeys(context, context.args[0] ?? ''),
      hashing: context.hashing,
      signal: context.io.signal,
    });
    // many clients make much garbage: it is collected before it takes half as much again as what is in use
    setFlagsFromString('--heap-growing-percent=50');
    const stop = new AbortController();
    try {
      requireUnexpired(bundle.manifest, {
        now: context.io.date(),
        allowExpired: context.flags['allowExpired'] === true,
        report: context.output.report,
      });
      const store = await bundleStore(bundle, { signal: stop.signal });
      const server = await serveRegistry(store, options);
      context.output.result({ kind: 'ServeResult', url: server.url, ...bundleFacts(bundle) }, [
        `serving ${imagesOf(bundle.manifest)} of ${bundle.manifest.name} at ${server.url} (Ctrl-C ends it)`,
      ]);
      await aborted(context.io.signal);
      await server.close();
    } finally {
      stop.abort();
      await bundle.close();
    }
  },
};

async function serveOptions(context: CommandContext): Promise<ServeOptions> {
  const certFile = stringFlag(context, 'tlsCert');
  const keyFile = stringFlag(context, 'tlsKey');
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new AirgapError('USAGE', '--tls-cert and --tls-key go together');
  const htpasswd = stringFlag(context, 'htpasswd');
  const read = (path: string, code?: ErrorCode): Promise<string> => readText(context, pathOf(context, path), code);
  return {
    ...parseListen(stringFlag(context, 'listen') ?? ''),
    plainHttp: context.flags['plainHttp'] === true,
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : {
          tls: { cert: await read(certFile, 'TLS_FAILED'), key: await read(keyFile, 'TLS_FAILED'), certFile, keyFile },
        }),
    ...(htpasswd === undefined ? {} : { htpasswd: await read(htpasswd) }),
    report: context.output.report,
  };
}

function parseListen(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) {
    throw new AirgapError('USAGE', `not an address to listen on: ${JSON.stringify(text.slice(0, 100))}`, {
      hint: 'Write HOST:PORT, for example 127.0.0.1:5000 or [::1]:5000.',
    });
  }
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
