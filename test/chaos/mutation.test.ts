import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { edits, type Edit } from '../../scripts/chaos/edits.ts';
import { forgeries } from '../../scripts/chaos/forgeries.ts';
import { mutation, REGIONS, type Mutation } from '../../scripts/chaos/mutation.ts';
import { subjectOf, type Subject } from '../../scripts/chaos/subject.ts';
import { cut, filesOf, joined, volumeChanges } from '../../scripts/chaos/volume-changes.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { seeded } from '../support/seeded.ts';
import { smallBundle } from '../support/small-bundle.ts';

const CASES = 2800;
let subject: Subject;
let cases: Mutation[];

beforeAll(async () => {
  const keys = generateKeyPair();
  const [one, other] = [await smallBundle('one', keys), await smallBundle('another', keys)];
  subject = subjectOf(one.bytes, other.bytes, generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey);
  cases = Array.from({ length: CASES }, (_, number) => mutation(subject, 1, number));
});

/** Two cases that sign anew are the same but for the signature. */
const described = ({ files, ...rest }: Mutation) => ({
  ...rest,
  files: [...files].map(([name, { length }]) => [name, length]),
});
const whole = ({ files }: Mutation): Buffer | undefined => joined(files) ?? files.get('site.tar');

describe('mutations', () => {
  test('are the same for the same seed, one by one, and others for another', () => {
    const again = [5, 0, 699, 350].map((number) => mutation(subject, 1, number));
    for (const made of again) expect(described(made)).toEqual(described(cases[made.number]!));
    const flips = cases.filter(({ what }) => what === 'a byte changed');
    for (const flip of flips.slice(0, 10)) expect(mutation(subject, 1, flip.number).files).toEqual(flip.files);
    const other = Array.from({ length: 70 }, (_, number) => described(mutation(subject, 2, number)));
    expect(other).not.toEqual(cases.slice(0, 70).map(described));
  });

  test('each differ from what was signed', () => {
    for (const made of cases) expect(whole(made)?.equals(subject.bytes), `${made.number}: ${made.what}`).not.toBe(true);
  });

  test('fall to every region in equal parts, and make use of every change', () => {
    for (const region of REGIONS) {
      const own = cases.filter((made) => made.region === region);
      expect(own).toHaveLength(CASES / REGIONS.length);
      const changes = region === 'volumes' ? volumeChanges : { ...forgeries[region], ...edits };
      // zeros over zeros change nothing
      const zeros = region === 'padding' || region === 'trailer';
      const possible = Object.keys(changes).filter((what) => !(zeros && what === 'a run zeroed'));
      expect(new Set(own.map(({ what }) => what)), region).toEqual(new Set(possible));
    }
  });

  test('are to be refused at opening unless only the body of a blob differs', () => {
    const later = cases.filter(({ refusedAtOpen }) => !refusedAtOpen);
    expect(later.length).toBeGreaterThan(100);
    for (const made of later) {
      const found = whole(made)!;
      expect(found).toHaveLength(subject.bytes.byteLength);
      for (const { path, offset, size } of subject.geometry.frames.filter(({ path }) => !path.startsWith('blobs/')))
        expect(found.subarray(offset, offset + size).equals(subject.bytes.subarray(offset, offset + size)), path).toBe(
          true,
        );
    }
  });
});

describe('an edit', () => {
  const file = seeded(1).bytes(3000);
  const span = { start: 1000, size: 500 };

  test.each(Object.entries<Edit>(edits))('%s leaves what is around the span as it is', (what, edit) => {
    for (let stream = 0; stream < 50; stream++) {
      const changed = edit(file, span, seeded(7, stream));
      expect(changed.subarray(0, 1000).equals(file.subarray(0, 1000))).toBe(true);
      if (what !== 'cut here') expect(changed.subarray(-1500).equals(file.subarray(-1500))).toBe(true);
      expect(edit(file, span, seeded(7, stream)).equals(changed)).toBe(true);
    }
    expect(file.equals(seeded(1).bytes(3000))).toBe(true);
  });
});

test('volumes are joined only under their right names', () => {
  const volumes = cut(subject.bytes, 10_000);
  expect(joined(filesOf(volumes))?.equals(subject.bytes)).toBe(true);
  const files = filesOf(volumes);
  files.delete('site.tar.002');
  expect(joined(files)).toBeUndefined();
});
