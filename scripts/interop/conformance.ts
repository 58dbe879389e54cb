// The OCI distribution conformance suite against the registry server over its store on disk. The suite is installed by Go.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';

const run = promisify(execFile);
const SUITE = 'github.com/opencontainers/distribution-spec/conformance@v0.0.0-20260831232431-97274622c111';

export interface ConformanceResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The names of what failed. */
  readonly failures: readonly string[];
  /** What the suite printed. */
  readonly output: string;
}

/** Builds the suite into `folder` unless it is there. @throws when Go or its module proxy is not there */
export async function installConformance(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await run('go', ['install', SUITE], { env: { ...process.env, GOBIN: folder }, timeout: 300_000 });
  return join(folder, 'conformance');
}

/** @param program what `installConformance` answers */
export async function runConformance(program: string): Promise<ConformanceResult> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-conformance-'));
  const registry = await serveRegistry(await diskStore(join(folder, 'store')), { host: '127.0.0.1', port: 0 });
  try {
    const env = {
      PATH: process.env['PATH'],
      OCI_VERSION: '1.1',
      OCI_REGISTRY: `127.0.0.1:${registry.port}`,
      OCI_TLS: 'disabled',
      OCI_REPO1: 'conformance/one',
      OCI_REPO2: 'conformance/two',
      OCI_RESULTS_DIR: join(folder, 'results'),
      OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
      OCI_API_BLOBS_DIGEST_HEADER: 'true',
      OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
      // sha256 is the one algorithm of this project; anonymous mounts are optional, and would let any account read any blob
      OCI_DATA_SHA512: 'false',
      OCI_API_BLOBS_MOUNT_ANONYMOUS: 'false',
    };
    const { stdout, stderr } = await run(program, [], {
      cwd: folder,
      env,
      timeout: 300_000,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { ...parseJunit(await readFile(join(folder, 'results', 'junit.xml'), 'utf8')), output: stdout + stderr };
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function parseJunit(xml: string): Omit<ConformanceResult, 'output'> {
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const failures = cases
    .filter(([, , body = '']) => /<(?:failure|error)\b/.test(body))
    .map(([, attributes = '']) => /name="([^"]*)"/.exec(attributes)?.[1] ?? '?');
  const skipped = cases.filter(([, , body = '']) => body.includes('<skipped')).length;
  return { passed: cases.length - failures.length - skipped, failed: failures.length, skipped, failures };
}
