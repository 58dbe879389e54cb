// cosign, which Debian does not have: built with Go into the project's cache.
import { run } from './process.ts';
import { ownFolder, isHere } from './tools.ts';

const COSIGN = 'github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3';

/** Builds cosign unless it is there. Answers why it is not, if so. */
export async function ensureCosign(log: (line: string) => void): Promise<string | undefined> {
  if (await isHere('cosign')) return undefined;
  log(`building ${COSIGN} (some minutes)`);
  try {
    const { status, stderr } = await run('go', ['install', COSIGN], {
      env: { GOBIN: ownFolder },
      mayFail: true,
    });
    if (status === 0) return undefined;
    return `go install ${COSIGN}: ${stderr.trim().split('\n').at(-1) ?? `ended with ${status}`}`;
  } catch (error) {
    return `cosign is built with Go: ${error instanceof Error ? error.message : String(error)}`;
  }
}
