// An esbuild plugin for large CommonJS packages that many runs never need. Such a package becomes a string inside the
// bundle, compiled when it is first required: code is parsed at some 50 MB a second even where it never runs, a string is
// passed over.
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** @param shared how the bundle itself is made; the packages are made the same way */
export function deferred(packages: readonly string[], shared: BuildOptions): Plugin {
  return {
    name: 'deferred',
    setup: (bundle) => {
      bundle.onResolve({ filter: /^[^.]/ }, ({ path, resolveDir }) =>
        packages.includes(path) ? { path, namespace: 'deferred', pluginData: resolveDir } : undefined,
      );
      bundle.onLoad({ filter: /.*/, namespace: 'deferred' }, async ({ path, pluginData }) => {
        const stdin = { contents: `module.exports = require(${JSON.stringify(path)})`, resolveDir: String(pluginData) };
        const { outputFiles } = await build({ ...shared, stdin, write: false });
        const code = JSON.stringify(outputFiles[0]?.text);
        const given = 'module, require, __filename';
        return { contents: `new Function('${given}', ${code})(${given})` };
      });
    },
  };
}
