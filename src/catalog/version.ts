// Versions of the Stack and of ECK: Semantic Versioning 2.0.0 without build metadata, which no image tag can carry, and
// half-open ranges of them. Versions of Kubernetes and OpenShift count as major.minor; distributions append what they like.
import { AirgapError } from '../core/errors.ts';

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Pre-release identifiers: `['SNAPSHOT']` of 9.6.0-SNAPSHOT. */
  readonly pre: readonly (number | string)[];
}

/** From `from` on, and before `until`; pre-releases of a bound count as the bound does. An absent bound is open. */
export interface VersionRange {
  readonly from?: string;
  readonly until?: string;
}

const NUMBER = '(?:0|[1-9][0-9]{0,8})';
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const SEMVER = new RegExp(`^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?$`);

/** The longest text that can still be part of a tag. */
const LONGEST = 100;

export function isVersion(text: string): boolean {
  return text.length <= LONGEST && SEMVER.test(text);
}

/** @throws VERSION_INVALID */
export function parseVersion(text: string): Version {
  const parts = text.length <= LONGEST ? SEMVER.exec(text) : null;
  if (parts === null) {
    throw new AirgapError('VERSION_INVALID', `not a version: ${JSON.stringify(text.slice(0, LONGEST))}`, {
      hint: 'Write major.minor.patch, for example 9.5.2.',
    });
  }
  const [, major, minor, patch, pre] = parts;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    pre: pre === undefined ? [] : pre.split('.').map((part) => (/^[0-9]+$/.test(part) ? Number(part) : part)),
  };
}

export function formatVersion({ major, minor, patch, pre }: Version): string {
  return `${major}.${minor}.${patch}${pre.length === 0 ? '' : `-${pre.join('.')}`}`;
}

/** Precedence by SemVer §11: negative, zero or positive, as sort functions want it. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePre(a.pre, b.pre);
}

/** Whether `version` is before the release `bound` in precedence: 8.16.0-SNAPSHOT is before 8.16.0. */
export function isBefore(version: Version, bound: string): boolean {
  return compareVersions(version, parseVersion(bound)) < 0;
}

/** Whether `version` is `bound` or newer, where pre-releases of `bound` count as it: 8.16.0-SNAPSHOT has reached 8.16.0. */
export function hasReached(version: Version, bound: string): boolean {
  const lowest = parseVersion(bound);
  return compareVersions(version, lowest.pre.length === 0 ? { ...lowest, pre: [0] } : lowest) >= 0;
}

export function isInRange(version: Version, range: VersionRange): boolean {
  return (
    (range.from === undefined || hasReached(version, range.from)) &&
    (range.until === undefined || !hasReached(version, range.until))
  );
}

/** `8.12.0 and newer`, `before 9.0.0`, `from 8.0.0 to before 9.0.0`, for messages. */
export function describeRange({ from, until }: VersionRange): string {
  if (from !== undefined && until !== undefined) return `from ${from} to before ${until}`;
  if (from !== undefined) return `${from} and newer`;
  return until === undefined ? 'any version' : `before ${until}`;
}

/** major.minor as one number that sorts: of `1.32`, `v1.32.4-eks-1`, `4.16.3`. @throws VERSION_INVALID */
export function parseMinor(text: string): number {
  const parts = /^v?([0-9]{1,4})\.([0-9]{1,4})(?:[.+-].*)?$/.exec(text);
  if (parts === null) {
    throw new AirgapError('VERSION_INVALID', `not a version: ${JSON.stringify(text.slice(0, LONGEST))}`, {
      hint: 'Write major.minor, for example 1.34 for Kubernetes or 4.18 for OpenShift.',
    });
  }
  return Number(parts[1]) * 10_000 + Number(parts[2]);
}

function comparePre(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (const [i, x] of a.entries()) {
    const y = b[i];
    if (y === undefined) return 1;
    if (x === y) continue;
    if (typeof x === 'number') return typeof y === 'number' ? x - y : -1;
    return typeof y === 'string' && x < y ? -1 : 1;
  }
  return a.length - b.length;
}
