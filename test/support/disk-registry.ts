// A process of its own that serves a store on disk and prints its port. Arguments: the folder, and how many changes of files and
// folders it makes once it serves: before the next one it kills itself.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';

const [folder = '', changes] = process.argv.slice(2);
const { port } = await serveRegistry(await diskStore(folder), { host: '127.0.0.1', port: 0 });
if (changes !== undefined) killAfter(Number(changes));
process.stdout.write(`${port}\n`);

function killAfter(changes: number): void {
  let left = changes;
  for (const name of ['mkdir', 'open', 'rename', 'rm', 'truncate', 'writeFile'] as const) {
    const change = fs[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        if (left-- === 0) process.kill(process.pid, 'SIGKILL');
        return change(...args);
      },
    });
  }
  syncBuiltinESMExports();
}
