// The matrix of each release of ECK, as its README states it.
import { describe, expect, test } from 'vitest';
import { builtInCatalogue } from '../../src/catalog/built-in.ts';
import {
  checkComponent,
  checkEck,
  checkOrchestrator,
  checkStack,
  type CompatibilityOptions,
} from '../../src/catalog/compatibility.ts';
import { findComponent } from '../../src/catalog/components.ts';
import { parseVersion } from '../../src/catalog/version.ts';
import type { AirgapError } from '../../src/core/errors.ts';
import { thrown } from '../support/thrown.ts';

const options: CompatibilityOptions = { catalogue: builtInCatalogue };
const allowing: CompatibilityOptions = { ...options, allowUnknownVersion: true };

function outcome(check: () => void): string {
  try {
    check();
    return 'works';
  } catch (error) {
    return (error as AirgapError).code;
  }
}

const MATRIX = [
  ['2.16.0', '1.27', '1.31', '4.12', '4.17'],
  ['2.16.1', '1.27', '1.32', '4.12', '4.17'],
  ['3.0.0', '1.28', '1.32', '4.14', '4.18'],
  ['3.1.0', '1.29', '1.33', '4.15', '4.19'],
  ['3.2.0', '1.30', '1.34', '4.15', '4.19'],
  ['3.3.0', '1.31', '1.35', '4.16', '4.20'],
  ['3.3.2', '1.31', '1.35', '4.16', '4.20'],
  ['3.4.0', '1.31', '1.35', '4.16', '4.21'],
  ['3.4.1', '1.31', '1.36', '4.16', '4.22'],
  ['3.5.0', '1.32', '1.36', '4.16', '4.22'],
] as const;

describe.each(MATRIX)('ECK %s', (eck, ...[kubernetes, lastKubernetes, openshift, lastOpenshift]) => {
  test('runs on the first and last Kubernetes and OpenShift of its README, and on none before or after', () => {
    const at = (name: 'kubernetes' | 'openshift', version: string) =>
      outcome(() => checkOrchestrator(name, version, parseVersion(eck), options));
    const step = (version: string, by: number) => version.replace(/[0-9]+$/, (minor) => String(Number(minor) + by));
    for (const [name, first, last] of [
      ['kubernetes', kubernetes, lastKubernetes],
      ['openshift', openshift, lastOpenshift],
    ] as const) {
      expect([at(name, first), at(name, last)]).toEqual(['works', 'works']);
      expect(at(name, step(first, -1))).toBe('VERSION_UNSUPPORTED');
      const newest = name === 'kubernetes' ? '1.36' : '4.22';
      expect(at(name, step(last, 1))).toBe(last === newest ? 'VERSION_UNKNOWN' : 'VERSION_UNSUPPORTED');
    }
  });
});

describe('Kubernetes and OpenShift', () => {
  test('that an older ECK does not know are refused with the ECK that does', () => {
    const error = thrown(() => checkOrchestrator('kubernetes', 'v1.36.1', parseVersion('3.2.0'), options));
    expect(error.code).toBe('VERSION_UNSUPPORTED');
    expect(error.hint).toContain('1.30 to 1.34');
    expect(error.hint).toContain('3.5.0');
  });

  test('that no table knows pass when that is allowed; those that are too old do not', () => {
    const eck = parseVersion('3.5.0');
    expect(outcome(() => checkOrchestrator('kubernetes', '1.40', eck, allowing))).toBe('works');
    expect(outcome(() => checkOrchestrator('kubernetes', '1.20', eck, allowing))).toBe('VERSION_UNSUPPORTED');
    expect(outcome(() => checkOrchestrator('openshift', '5.0', eck, allowing))).toBe('works');
  });
});

describe('ECK itself', () => {
  test.each([
    ['2.15.0', 'VERSION_UNSUPPORTED', 'VERSION_UNSUPPORTED'],
    ['2.16.0', 'works', 'works'],
    ['3.5.9', 'works', 'works'],
    ['3.6.0-SNAPSHOT', 'VERSION_UNKNOWN', 'works'],
    ['4.0.0', 'VERSION_UNKNOWN', 'works'],
  ])('%s: %s, and %s where unknown versions are allowed', (eck, expected, expectedAllowing) => {
    expect(outcome(() => checkEck(parseVersion(eck), options))).toBe(expected);
    expect(outcome(() => checkEck(parseVersion(eck), allowing))).toBe(expectedAllowing);
  });
});

describe('the Stack', () => {
  test.each([
    ['8.19.20', 'works'],
    ['8.19.99', 'works'],
    ['8.20.0', 'VERSION_UNKNOWN'],
    ['9.5.3', 'works'],
    ['9.6.0-SNAPSHOT', 'VERSION_UNKNOWN'],
    ['10.0.0', 'VERSION_UNKNOWN'],
  ])('%s: %s', (version, expected) => {
    expect(outcome(() => checkStack(parseVersion(version), options))).toBe(expected);
    expect(outcome(() => checkStack(parseVersion(version), allowing))).toBe('works');
  });
});

describe('components', () => {
  test.each([
    ['elasticsearch', '6.8.23', '2.16.1', 'works'],
    ['elasticsearch', '9.0.0', '2.16.1', 'VERSION_UNSUPPORTED'],
    ['elasticsearch', '7.16.3', '3.0.0', 'VERSION_UNSUPPORTED'],
    ['elasticsearch', '7.17.29', '3.2.0', 'works'],
    ['elasticsearch', '7.17.29', '3.3.0', 'VERSION_UNSUPPORTED'],
    ['kibana', '9.5.2', '3.0.0', 'works'],
    ['kibana', '9.6.0-SNAPSHOT', '3.5.0', 'works'],
    ['elastic-agent', '7.10.0', '2.16.0', 'works'],
    ['fleet-server', '7.13.4', '2.16.0', 'VERSION_UNSUPPORTED'],
    ['elastic-agent', '9.5.2', '2.16.0', 'VERSION_UNSUPPORTED'],
    ['enterprise-search', '8.19.20', '3.5.0', 'works'],
    ['enterprise-search', '9.0.0', '3.5.0', 'VERSION_UNSUPPORTED'],
    ['enterprise-search', '7.17.1', '3.2.0', 'works'],
    ['logstash', '8.11.4', '2.16.0', 'VERSION_UNSUPPORTED'],
    ['logstash', '8.12.0', '3.5.0', 'works'],
    ['package-registry', '8.19.20', '3.3.0', 'works'],
    ['package-registry', '9.5.2', '3.2.0', 'works'],
    ['autoops-agent', '9.2.0', '3.5.0', 'VERSION_UNSUPPORTED'],
    ['autoops-agent', '9.2.1', '3.2.0', 'VERSION_UNSUPPORTED'],
    ['journalbeat', '7.15.2', '2.16.0', 'works'],
    ['journalbeat', '8.0.0', '3.5.0', 'VERSION_UNSUPPORTED'],
    ['eland', '1.0.0', '2.16.0', 'works'],
  ])('%s %s with ECK %s: %s', (name, version, eck, expected) => {
    const component = findComponent(builtInCatalogue, name);
    expect(outcome(() => checkComponent(component, parseVersion(version), parseVersion(eck)))).toBe(expected);
  });

  test('of a later major wait for an ECK that does not refuse it', () => {
    const check = (name: string, eck: string) =>
      outcome(() => checkComponent(findComponent(builtInCatalogue, name), parseVersion('10.0.0'), parseVersion(eck)));
    expect(check('elasticsearch', '3.5.0')).toBe('VERSION_UNSUPPORTED');
    expect(check('elasticsearch', '3.6.0')).toBe('works');
    expect(check('enterprise-search', '3.6.0')).toBe('VERSION_UNSUPPORTED');
  });

  test('are refused with what the ECK at hand supports, and with the ECK they take', () => {
    const error = thrown(() =>
      checkComponent(findComponent(builtInCatalogue, 'elasticsearch'), parseVersion('9.5.2'), parseVersion('2.16.1')),
    );
    expect(error.message).toBe('ECK 2.16.1 does not support elasticsearch 9.5.2');
    expect(error.hint).toContain('from 6.8.0 to before 9.0.0');
    expect(error.hint).toContain('from 3.3.0 to before 3.6.0');
  });

  test('that do not exist are refused with those that do', () => {
    const error = thrown(() => findComponent(builtInCatalogue, 'elasticserch'));
    expect(error.code).toBe('COMPONENT_UNKNOWN');
    expect(error.hint).toContain('elasticsearch');
  });
});
