// A registry over a store on disk in a process of its own, which is killed, or kills itself: at the end of the test at the latest.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('./disk-registry.ts', import.meta.url));

export interface RegistryProcess {
  readonly port: number;
  readonly url: string;
  /** SIGKILL. */
  readonly kill: () => Promise<void>;
}

/** @param changes of the disk that it makes before it kills itself; as many as come by default */
export async function startRegistryProcess(folder: string, changes?: number): Promise<RegistryProcess> {
  const args = changes === undefined ? [] : [String(changes)];
  const child = spawn(process.execPath, [SCRIPT, folder, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => {
      throw new Error('the registry ended before it listened');
    }),
  ])) as [Buffer];
  const port = Number(line.toString());
  return { port, url: `http://127.0.0.1:${port}`, kill };
}
