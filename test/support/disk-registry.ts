// A process of its own that serves a store on disk and prints its port. Argument: the folder.
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';

const { port } = await serveRegistry(await diskStore(process.argv[2] ?? ''), { host: '127.0.0.1', port: 0 });
process.stdout.write(`${port}\n`);
