// The interop suite: installs what it needs from Debian, builds cosign, fetches helm, makes the program as it ships, and runs the
// journeys of test/interop. What cannot be installed is named, and the tests that need it are skipped with that reason.
// Arguments go to vitest.
import { spawn } from 'node:child_process';
import { ensureDebianTools } from './interop/apt.ts';
import { ensureOwnTools } from './interop/own-tools.ts';
import { PACKAGED_VARIABLE } from './interop/packaged.ts';
import { run } from './interop/process.ts';
import { MISSING_VARIABLE, type Missing } from './interop/tools.ts';

const root = new URL('..', import.meta.url).pathname;

async function main(): Promise<number> {
  const missing: Missing = { ...(await ensureDebianTools(console.log)), ...(await ensureOwnTools(console.log)) };
  for (const [tool, reason] of Object.entries(missing)) console.log(`not here: ${tool}: ${reason}`);
  return vitest({
    [MISSING_VARIABLE]: JSON.stringify(missing),
    ECK_AIRGAP: await programUnderTest(),
    ...(await packaged(missing)),
  });
}

/** What ECK_AIRGAP names, such as a packaged binary; otherwise the one file that `npm run build` makes. */
async function programUnderTest(): Promise<string> {
  const named = process.env['ECK_AIRGAP'];
  if (named !== undefined) return named;
  await run(process.execPath, ['scripts/build.ts'], { cwd: root });
  return `${root}dist/eck-airgap.cjs`;
}

/** The folder of the binaries, unless it is named already. Without strip there is none, and the journeys say so. */
async function packaged(missing: Missing): Promise<Record<string, string>> {
  const wanting = missing.strip ?? missing['aarch64-linux-gnu-strip'];
  if (process.env[PACKAGED_VARIABLE] !== undefined || wanting !== undefined) return {};
  try {
    console.log((await run(process.execPath, ['scripts/package.ts'], { cwd: root })).stdout);
    return { [PACKAGED_VARIABLE]: `${root}dist` };
  } catch (error) {
    // the journeys with the binaries fail then, the others run
    console.error(error instanceof Error ? error.message : error);
    return {};
  }
}

function vitest(env: Readonly<Record<string, string>>): Promise<number> {
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'vitest.interop.config.ts',
    ...process.argv.slice(2),
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main();
