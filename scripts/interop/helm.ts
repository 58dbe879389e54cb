// How helm is run.
import { run, type Finished } from './process.ts';
import { helmPath } from './tools.ts';

/** One command of helm, in a folder where it keeps everything it keeps. @throws Error when it fails */
export async function helm(folder: string, args: readonly string[]): Promise<Finished> {
  const env = { HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
  return run(helmPath, args, { cwd: folder, env });
}
