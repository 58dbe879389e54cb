// The program as one CommonJS file. `npm run build` keeps it for any Node 24; `npm run package` puts it into binaries.
import { readFile } from 'node:fs/promises';
import { build, type BuildOptions } from 'esbuild';
import { deferred } from './deferred.ts';

const root = new URL('../../', import.meta.url).pathname;

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
};

/** What stands around the program. */
interface Frame {
  readonly banner: string;
  readonly footer: string;
}

/** A file that Node runs. */
const SCRIPT: Frame = { banner: '#!/usr/bin/env node', footer: '' };

/** An expression, for who compiles it: a function of what it uses of a CommonJS module. */
export const FUNCTION: Frame = {
  banner: '(function (require, module, __filename) {',
  footer: '})',
};

/** Bundles the program with all that it uses. The same source gives the same bytes in any folder. */
export async function bundleProgram(outfile: string, { banner, footer }: Frame = SCRIPT): Promise<void> {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { version: string };
  await build({
    ...shared,
    entryPoints: ['src/cli/main.ts'],
    outfile,
    plugins: [deferred(['undici', 'iconv-lite', 'openpgp'], shared)],
    banner: { js: banner },
    footer: { js: footer },
    define: { ECK_AIRGAP_VERSION: JSON.stringify(version), 'import.meta.url': '""' },
  });
}

/** Bundles a script that uses nothing but Node. */
export async function bundleScript(entry: string, outfile: string): Promise<void> {
  await build({ ...shared, entryPoints: [entry], outfile });
}
