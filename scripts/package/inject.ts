// Puts the bundled program into a plain Node, as a single executable application, with pkg's function for that. It runs as
// a process of its own: pkg prints, changes the current folder, and takes 800 MB that are given back at its end.
// Usage: inject.ts BASE PROGRAM OUTPUT PLATFORM ARCH, all paths absolute; TMPDIR is the folder of PROGRAM.
import { basename } from 'node:path';
import sea, { type SeaConfig } from 'pkg/lib-es5/sea.js';

const [base = '', program = '', output = '', platform, arch = ''] = process.argv.slice(2);

/** What Node takes beside the keys that pkg declares; pkg passes it through. */
const config: SeaConfig & { main: string; execArgv: string[]; execArgvExtension: string } = {
  // the path stands in the binary: relative to pkg's own folder below TMPDIR, it is the same on every machine
  main: `../${basename(program)}`,
  // what arrives from sockets is garbage at once: a small young generation gives 64 KiB buffers back before they pile up
  execArgv: ['--max-semi-space-size=1'],
  // NODE_OPTIONS of the environment must not get into the program
  execArgvExtension: 'none',
  // differs from run to run
  useCodeCache: false,
  useSnapshot: false,
  disableExperimentalSEAWarning: true,
};

// nodePath is what the program is put into, useLocalNode is what prepares it: this very Node, which is of the same version
await sea.default(program, {
  nodePath: base,
  useLocalNode: true,
  seaConfig: config,
  signature: false,
  targets: [
    { nodeRange: `node${process.versions.node}`, platform: platform === 'win' ? 'win' : 'linux', arch, output },
  ],
});
