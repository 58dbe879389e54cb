// The size of a bundle and the room for it, as `lock` and `build` say them before anything is fetched.
import type { BuildPlan, BundleSizes, PlannedPlace } from '../build/build-plan.ts';
import { plural } from '../core/plural.ts';
import { formatBytes } from './format.ts';

/** One line. */
export function sizesLine({ bundleSize, blobs, toFetch, cache }: BundleSizes): string {
  const fetched = toFetch.blobs === 0 ? 'nothing is to be fetched' : `${formatBytes(toFetch.bytes)} are to be fetched`;
  return `the bundle will have about ${formatBytes(bundleSize)} (${plural(blobs, 'blob')}); ${fetched}; ${freeIn(cache, 'the cache')}`;
}

export function planLine(plan: BuildPlan): string {
  return `${sizesLine(plan)}, ${freeIn(plan.output, plan.output.path)}`;
}

function freeIn({ free }: PlannedPlace, where: string): string {
  return free === undefined ? `${where} does not say what is free` : `${formatBytes(free)} free in ${where}`;
}
