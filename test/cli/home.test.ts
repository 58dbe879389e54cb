// An account that the system does not know, in a container without HOME: nothing may depend on there being a home.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** What Node does for such an account. */
const HOMELESS = `import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module';
  os.homedir = () => { throw new Error('uv_os_homedir returned ENOENT') }; syncBuiltinESMExports();`;

test('an account without a home runs the program', async () => {
  const preload = `data:text/javascript,${encodeURIComponent(HOMELESS)}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', preload, MAIN, '--version']);
  expect(stdout).toMatch(/^[0-9]+\./);
});
