// Bundles the program into one CommonJS file, dist/eck-airgap.cjs, which any Node 24 runs.
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/eck-airgap.cjs',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  minify: true,
  legalComments: 'none',
  logLevel: 'info',
  banner: { js: '#!/usr/bin/env node' },
  define: { ECK_AIRGAP_VERSION: JSON.stringify(version), 'import.meta.url': '""' },
});
