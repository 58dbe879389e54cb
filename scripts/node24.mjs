// Runs its arguments with the Node 24 that package.json pins (an optional dependency of plain files), on any host
// Node. That Node is put first in PATH too, so that whatever it starts runs on it as well.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { delimiter, dirname } from 'node:path';

const require = createRequire(import.meta.url);
const pinned = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).optionalDependencies;
const windows = process.platform === 'win32';
const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;

function findNode() {
  try {
    return require.resolve(`${name}/bin/node${windows ? '.exe' : ''}`);
  } catch {
    if (process.version.startsWith('v24.')) return process.execPath;
  }
  console.error(
    `eck-airgap needs Node 24: ${name}@${pinned[name] ?? '24'} is not installed and this is Node ${process.version}. ` +
      'Run "npm ci" without --omit=optional, or install Node 24.',
  );
  process.exit(2);
}

const node = findNode();
const child = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') },
});
// Ctrl-C reaches the child by the terminal; a signal sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`eck-airgap cannot start ${node}: ${error.message}`);
  process.exit(2);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
