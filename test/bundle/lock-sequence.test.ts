import { expect, test } from 'vitest';
import { encodeLock, parseLock, type Lock } from '../../src/bundle/lock.ts';
import { withSequence } from '../../src/bundle/lock-sequence.ts';
import { digestOf } from '../../src/core/digest.ts';

const lock: Lock = {
  apiVersion: 'eck-airgap/v1',
  kind: 'Lock',
  metadata: { name: 'site' },
  spec: digestOf(Buffer.from('one')),
  platforms: ['linux/amd64'],
  images: [],
  files: [],
};
const changed: Lock = { ...lock, spec: digestOf(Buffer.from('another')) };

test('the first lock is number 1, or SOURCE_DATE_EPOCH', () => {
  expect(withSequence(lock, {}).sequence).toBe(1);
  expect(withSequence(lock, { sourceDateEpoch: 1_767_225_600 }).sequence).toBe(1_767_225_600);
});

test('a lock that says the same keeps its number, and so its bytes', () => {
  const earlier = withSequence(lock, { sequence: 7 });
  const again = withSequence(lock, { earlier, sourceDateEpoch: 1_767_225_600 });
  expect(encodeLock(again)).toEqual(encodeLock(earlier));
});

test('a lock that says something else counts on', () => {
  const earlier = withSequence(lock, { sequence: 7 });
  expect(withSequence(changed, { earlier }).sequence).toBe(8);
  expect(withSequence(changed, { earlier, sourceDateEpoch: 100 }).sequence).toBe(100);
  expect(withSequence(changed, { earlier, sourceDateEpoch: 3 }).sequence).toBe(8);
});

test('the number that was asked for is taken', () => {
  const earlier = withSequence(lock, { sequence: 7 });
  expect(withSequence(lock, { earlier, sequence: 3 }).sequence).toBe(3);
});

test('a lock of an earlier release, without a number, is read, and numbered', () => {
  const earlier = parseLock(encodeLock(lock).toString('utf8'), 'lock');
  expect(earlier.sequence).toBeUndefined();
  expect(withSequence(lock, { earlier }).sequence).toBe(1);
});

test('counting stops where numbers end', () => {
  const earlier = withSequence(lock, { sequence: Number.MAX_SAFE_INTEGER });
  expect(withSequence(changed, { earlier }).sequence).toBe(Number.MAX_SAFE_INTEGER);
});
