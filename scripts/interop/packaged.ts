// The packaged binaries that the journeys run. ECK_AIRGAP_PACKAGED names their folder; `npm run test:interop` makes them.
import { join } from 'node:path';
import { targets, type Target } from '../package/targets.ts';

export const PACKAGED_VARIABLE = 'ECK_AIRGAP_PACKAGED';

/** @throws Error where there are none */
export function packagedBinary(name: string): string {
  const folder = process.env[PACKAGED_VARIABLE];
  if (folder === undefined) throw new Error(`${PACKAGED_VARIABLE} names no folder; "npm run test:interop" makes one`);
  return join(folder, targetNamed(name).file);
}

function targetNamed(name: string): Target {
  const target = targets.find((candidate) => candidate.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  return target;
}
