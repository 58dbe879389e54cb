// Installs what the journeys need from Debian, and says what could not be installed. Needs root.
import { run } from './process.ts';
import { debianPackages, isHere, type DebianTool, type Missing } from './tools.ts';

/** Answers the tools that are still missing, with the reason. When nothing is missing, nothing is asked of the network. */
export async function ensureDebianTools(log: (line: string) => void): Promise<Missing> {
  const wanted = await absentTools();
  if (wanted.length === 0) return {};
  const packages = [...new Set(wanted.map((tool) => debianPackages[tool]))];
  log(`installing ${packages.join(' ')}`);
  const reasons = await install(packages);
  const missing: Missing = {};
  for (const tool of await absentTools()) {
    missing[tool] = reasons.get(debianPackages[tool]) ?? `Debian's ${debianPackages[tool]} brings no ${tool}`;
  }
  return missing;
}

async function absentTools(): Promise<DebianTool[]> {
  const absent: DebianTool[] = [];
  for (const tool of Object.keys(debianPackages) as DebianTool[]) if (!(await isHere(tool))) absent.push(tool);
  return absent;
}

/** All at once; where that fails, one by one, so that a package that cannot be had is named and costs only itself. */
async function install(packages: readonly string[]): Promise<Map<string, string>> {
  if (process.getuid?.() !== 0) return sameReason(packages, 'installing Debian packages needs root');
  const updated = await apt(['update']);
  if (updated !== undefined) return sameReason(packages, `apt-get update: ${updated}`);
  const reasons = new Map<string, string>();
  if ((await apt(['install', ...packages])) === undefined) return reasons;
  for (const name of packages) {
    const reason = await apt(['install', name]);
    if (reason !== undefined) reasons.set(name, `apt-get install ${name}: ${reason}`);
  }
  return reasons;
}

/** The last complaint of apt-get, or undefined when it succeeded. */
async function apt(args: readonly string[]): Promise<string | undefined> {
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, mayFail: true };
  try {
    const { status, stderr } = await run('apt-get', ['-y', '-qq', ...args], options);
    return status === 0 ? undefined : (/^E: (.*)$/m.exec(stderr)?.[1] ?? `ended with ${status}`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function sameReason(packages: readonly string[], reason: string): Map<string, string> {
  return new Map(packages.map((name) => [name, reason]));
}
