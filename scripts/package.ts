// `npm run package`: the program as one file for each platform, in dist/, with nothing to install beside it.
// Usage: npm run package [-- --target linux-x64 …] [--out FOLDER] [--no-code-cache] [--strict]
// What this machine lacks (binutils, a processor that runs the Node of the platform) makes the file larger or slower to start, with
// a warning; with --strict it is an error, so that a release has the same bytes wherever it is made.
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageProgram } from './package/package.ts';
import { targetsNamed } from './package/targets.ts';

const root = new URL('..', import.meta.url).pathname;
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

try {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      target: { type: 'string', multiple: true, default: [] },
      out: { type: 'string', default: 'dist' },
      'code-cache': { type: 'boolean', default: true },
      strict: { type: 'boolean', default: false },
    },
  });
  await packageProgram(targetsNamed(values.target), {
    out: resolve(root, values.out),
    cache: join(root, '.cache', 'package'),
    codeCache: values['code-cache'],
    strict: values.strict,
    signal: interrupted.signal,
    onWarning: (sentence) => console.error(`Warning: ${sentence}`),
    onPackaged: ({ path, bytes, sha256 }) =>
      console.log(`${basename(path).padEnd(24)}${String(bytes).padStart(11)}  ${sha256}`),
  });
} catch (error) {
  const { aborted } = interrupted.signal;
  console.error(aborted ? 'interrupted' : error instanceof Error ? error.message : error);
  process.exitCode = aborted ? 130 : 1;
}
