// The OCI distribution conformance suite against the registry server over its store on disk.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { diskStore } from '../../src/registry/server/disk-store.ts';
import { serveRegistry } from '../../src/registry/server/server.ts';
import { conformancePath } from './tools.ts';

const run = promisify(execFile);

export interface ConformanceResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** The names of what failed. */
  readonly failures: readonly string[];
  /** What the suite printed. */
  readonly output: string;
}

/** @throws when the suite ended without a result */
export async function runConformance(): Promise<ConformanceResult> {
  const folder = await mkdtemp(join(tmpdir(), 'eck-airgap-conformance-'));
  const registry = await serveRegistry(await diskStore(join(folder, 'store')), { host: '127.0.0.1', port: 0 });
  try {
    const output = await runSuite(folder, registry.port);
    const junit = await readFile(join(folder, 'results', 'junit.xml'), 'utf8').catch(() => {
      throw new Error(`the conformance suite ended without a result:\n${output}`);
    });
    return { ...countCases(junit), output };
  } finally {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Answers what it printed. */
async function runSuite(folder: string, port: number): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    OCI_VERSION: '1.1',
    OCI_REGISTRY: `127.0.0.1:${port}`,
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
  const options = { cwd: folder, env, timeout: 300_000, maxBuffer: 64 * 1024 * 1024 };
  // it ends with 1 when a case failed, which its result says better
  const { stdout, stderr } = await run(conformancePath, [], options).catch((error: unknown) => error as Printed);
  return `${stdout ?? ''}${stderr ?? ''}`;
}

interface Printed {
  readonly stdout?: string;
  readonly stderr?: string;
}

/** The suite writes how a case ended into an attribute, and no elements below it. */
function countCases(junit: string): Omit<ConformanceResult, 'output'> {
  const cases = [...junit.matchAll(/<testcase name="([^"]*)"[^>]* status="([a-z]+)"/g)];
  const named = (...states: string[]): string[] =>
    cases.filter(([, , status = '']) => states.includes(status)).map(([, name = '']) => name);
  const failures = named('failure', 'error');
  return { passed: named('passed').length, failed: failures.length, skipped: named('skipped').length, failures };
}
