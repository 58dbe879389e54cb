// Puts the bundled program into a plain Node, as a single executable application, with pkg's function for that. It runs as
// a process of its own: pkg prints, changes the current folder, and takes 800 MB that are given back at its end.
// Usage: inject.ts BASE OUTPUT PLATFORM ARCH START PROGRAM [CODE-CACHE], all paths absolute; TMPDIR is the folder of the last three.
import { basename } from 'node:path';
import sea, { type SeaConfig } from 'pkg/lib-es5/sea.js';
import { CODE_CACHE, PROGRAM } from './assets.ts';

const [base = '', output = '', platform, arch = '', start = '', program = '', codeCache] = process.argv.slice(2);

/** A path stands in the binary: relative to pkg's own folder below TMPDIR, it is the same on every machine. */
const beside = (path: string): string => `../${basename(path)}`;

/** What Node takes beside the keys that pkg declares; pkg passes it through. */
const config: SeaConfig & { main: string; execArgv: string[]; execArgvExtension: string } = {
  main: beside(start),
  assets: { [PROGRAM]: beside(program), ...(codeCache === undefined ? {} : { [CODE_CACHE]: beside(codeCache) }) },
  // what arrives from sockets is garbage at once: a small young generation gives 64 KiB buffers back before they pile up
  // SIGUSR1 must not open a debugger, through which others of the same user could read the key in memory
  execArgv: ['--max-semi-space-size=1', '--disable-sigusr1'],
  // NODE_OPTIONS of the environment must not get into the program
  execArgvExtension: 'none',
  // of the script that starts the program only; the program's own is an asset
  useCodeCache: false,
  useSnapshot: false,
  disableExperimentalSEAWarning: true,
};

// nodePath is what the program is put into, useLocalNode is what prepares it: this very Node, which is of the same version
await sea.default(start, {
  nodePath: base,
  useLocalNode: true,
  seaConfig: config,
  signature: false,
  targets: [
    { nodeRange: `node${process.versions.node}`, platform: platform === 'win' ? 'win' : 'linux', arch, output },
  ],
});
