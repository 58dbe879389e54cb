// What differs between two locks or bundles, and what there is to carry: laws that hold for any two, and each kind of change.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { contentsOfBundle, contentsOfLock, type Contents, type Item } from '../../src/bundle/contents.ts';
import { differenceOf, type Difference, type Differences } from '../../src/bundle/difference.ts';
import { LOCK_FILE, type Lock, type Verified } from '../../src/bundle/lock.ts';
import { digestOf, type Digest } from '../../src/core/digest.ts';
import { lockFor } from '../support/locks.ts';
import { pack } from '../support/pack.ts';

/** A thing is made of parts, which several may share; part n has n bytes. */
interface Model {
  readonly images: Readonly<Record<string, { readonly parts: readonly number[]; readonly artifact: boolean }>>;
  readonly files: Readonly<Record<string, number>>;
}

const digest = (content: unknown): Digest => digestOf(Buffer.from(JSON.stringify(content)));
const total = (blobs: Contents['blobs']): number => [...(blobs ?? [])].reduce((sum, [, size]) => sum + size, 0);

function contentsOf({ images, files }: Model): Contents {
  const parts = [...Object.values(images).flatMap((image) => image.parts), ...Object.values(files)];
  return {
    images: new Map(
      Object.entries(images).map(([name, image]): [string, Item] => {
        const size = image.parts.reduce((sum, part) => sum + part, 0);
        const item = { digest: digest(image), original: digest(image), platforms: [], accompanying: [], size };
        return [name, image.artifact ? { ...item, artifact: true } : item];
      }),
    ),
    files: new Map(Object.entries(files).map(([name, part]) => [name, { digest: digest(part), size: part }])),
    blobs: new Map(parts.map((part) => [digest(part), part])),
  };
}

const names = fc.constantFrom('a', 'b', 'c', 'd');
const part = fc.integer({ min: 1, max: 12 });
const image = fc.record({ parts: fc.uniqueArray(part, { minLength: 1, maxLength: 4 }), artifact: fc.boolean() });
const contents = fc
  .record({
    images: fc.dictionary(
      names.map((name) => `image/${name}:1`),
      image,
    ),
    files: fc.dictionary(names, part),
  })
  .map(contentsOf);
const anyTwo = (law: (old: Contents, now: Contents) => void): void => fc.assert(fc.property(contents, contents, law));

const SECTIONS = ['images', 'charts', 'files'] as const;
const namesIn = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);
const withoutBlobs = ({ images, files }: Contents): Contents => ({ images, files });

describe('any two', () => {
  test('that are equal have no difference, and nothing is to carry', () => {
    fc.assert(
      fc.property(contents, (one) => {
        const nothing: Differences = { added: [], removed: [], changed: [] };
        const carry = { bytes: 0, exact: true, blobs: 0 };
        expect(differenceOf(one, one)).toEqual({ same: true, images: nothing, charts: nothing, files: nothing, carry });
        expect(differenceOf(withoutBlobs(one), one).carry).toEqual({ bytes: 0, exact: false });
      }),
    );
  });

  test('differ backwards as they do forwards', () => {
    anyTwo((old, now) => {
      const [forth, back] = [differenceOf(old, now), differenceOf(now, old)];
      expect(back.same).toBe(forth.same);
      for (const how of ['added', 'removed', 'changed'] as const) {
        const opposite = { added: 'removed', removed: 'added', changed: 'changed' } as const;
        const all = (difference: Difference, of: typeof how) =>
          SECTIONS.flatMap((section) => namesIn(difference[section][of])).sort();
        expect(all(back, opposite[how])).toEqual(all(forth, how));
      }
    });
  });

  test('account for every name once, each list in order', () => {
    anyTwo((old, now) => {
      const difference = differenceOf(old, now);
      const known = new Set([...old.images.keys(), ...old.files.keys()]);
      for (const section of SECTIONS)
        for (const list of Object.values(difference[section]) as { name: string }[][])
          expect(namesIn(list)).toEqual([...new Set(namesIn(list))].sort());
      const added = SECTIONS.flatMap((section) => namesIn(difference[section].added));
      const removed = SECTIONS.flatMap((section) => namesIn(difference[section].removed));
      for (const name of removed) known.delete(name);
      expect([...known, ...added].sort()).toEqual([...now.images.keys(), ...now.files.keys()].sort());
    });
  });

  test('that are carried over, blob by blob, come to the new one', () => {
    anyTwo((old, now) => {
      const { bytes, blobs, exact } = differenceOf(old, now).carry;
      const together = new Map([...(old.blobs ?? []), ...(now.blobs ?? [])]);
      expect(exact).toBe(true);
      expect(total(old.blobs) + bytes).toBe(total(together));
      expect((old.blobs?.size ?? 0) + (blobs ?? 0)).toBe(together.size);
    });
  });

  test('need at most the upper bound that is said where blobs are not known', () => {
    anyTwo((old, now) => {
      const { bytes } = differenceOf(old, now).carry;
      const bounds = [
        differenceOf(withoutBlobs(old), withoutBlobs(now)),
        differenceOf(old, withoutBlobs(now)),
        differenceOf(withoutBlobs(old), now),
      ].map(({ carry }) => carry);
      for (const bound of bounds) {
        expect(bound).toEqual({ bytes: expect.any(Number) as number, exact: false });
        expect(bound.bytes).toBeGreaterThanOrEqual(bytes);
      }
      expect(bounds[2]?.bytes).toBeLessThanOrEqual(total(now.blobs));
    });
  });
});

describe('a change', () => {
  const NAME = 'registry.example/app:1.0';
  const lock = (change: Partial<Lock['images'][number]> = {}): Lock => {
    const made = lockFor({ images: [NAME], files: { 'notes.txt': [] } });
    return { ...made, images: made.images.map((locked) => ({ ...locked, ...change })) };
  };
  const node = (text: string) => ({
    digest: digest(text),
    mediaType: 'application/vnd.oci.image.index.v1+json',
    size: 5,
  });
  const compare = (now: Lock, old = lock()) => differenceOf(contentsOfLock(old), contentsOfLock(now));
  const [pinned] = lock().images;

  test.each<[string, Partial<Lock['images'][number]>, object]>([
    ['digest', { digest: digest('other') }, { old: pinned?.digest, new: digest('other') }],
    ['original', { original: node('index') }, { old: pinned?.digest, new: digest('index') }],
    ['platforms', { platforms: ['linux/amd64'] }, { old: pinned?.platforms, new: ['linux/amd64'] }],
    ['accompanying', { accompanying: [node('signature')] }, { old: [], new: [digest('signature')] }],
    ['from', { from: 'elsewhere.example/app:1.0' }, { old: NAME, new: 'elsewhere.example/app:1.0' }],
    ['verified', { verified: { by: 'cosign', key: 'k' } }, { old: 'none', new: { by: 'cosign', key: 'k' } }],
  ])('of %s is one of the image', (facet, change, expected) => {
    const { same, images, charts, files } = compare(lock(change));
    expect(same).toBe(false);
    expect(images.changed).toMatchObject([{ name: NAME, changes: { [facet]: expected } }]);
    expect([images.added, images.removed, charts.changed, files.changed]).toEqual([[], [], [], []]);
  });

  test('of what vouched for an image, or where it is from, carries nothing', () => {
    const change = { verified: { by: 'cosign', key: 'k' }, from: 'elsewhere.example/app:1.0' } as const;
    expect(compare(lock(change)).carry).toEqual({ bytes: 0, exact: false });
    expect(compare(lock({ accompanying: [node('signature')] })).carry.bytes).toBe(pinned?.totalSize);
  });

  test('of why a thing is there, of the order of platforms or of signatures is none', () => {
    const [first, second] = [node('one'), node('two')];
    const was = lock({ accompanying: [first, second], platforms: ['linux/amd64', 'linux/arm64'] });
    const is = lock({
      accompanying: [second, first],
      platforms: ['linux/arm64', 'linux/amd64'],
      uses: [{ component: 'kibana', why: 'Kibana' }],
    });
    expect(compare(is, was).same).toBe(true);
  });

  test('of a file: its content, its address, what vouched for it', () => {
    const [file] = lock().files;
    const url = 'https://files.example/notes.txt';
    const verified = { by: 'checksum', from: `${url}.sha512` } as const;
    const fetched: Lock = { ...lock(), files: [{ ...file!, url, digest: digest('new'), verified, size: 7 }] };
    const { files, carry } = compare(fetched);
    expect(files.changed).toMatchObject([
      { name: 'notes.txt', changes: { digest: { new: digest('new') }, verified: { old: 'none', new: verified } } },
    ]);
    expect(carry.bytes).toBe(7);
    const moved: Lock = { ...lock(), files: [{ ...file!, url: `${url}.old`, digest: digest('new'), verified }] };
    expect(compare(fetched, moved).files.changed).toMatchObject([
      { changes: { from: { old: `${url}.old`, new: url } } },
    ]);
  });
});

describe('a bundle', () => {
  const IMAGE = 'docker.elastic.co/kibana/kibana:9.5.2';
  const CHART = 'registry.example/charts/app:1.0.0';
  const { manifest } = pack({ files: { [LOCK_FILE]: Buffer.from('lock'), 'a.txt': Buffer.from('a') } });
  const [packed] = manifest.images;
  const text = manifest.files.find(({ name }) => name === 'a.txt')!;
  const lockOf = (verified: Verified, pinned = { image: packed!.digest, file: text.digest }): Lock => {
    const made = lockFor({ images: [IMAGE], files: { 'a.txt': [] } });
    return {
      ...made,
      images: made.images.map((locked) => ({ ...locked, verified, digest: pinned.image })),
      files: made.files.map((locked) => ({ ...locked, verified, digest: pinned.file })),
    };
  };

  test('without its lock says nothing of what vouched for an image, and that is no difference', () => {
    const verified = { by: 'cosign', key: 'k' } as const;
    const known = contentsOfBundle(manifest, lockOf(verified));
    expect(known.images.get(IMAGE)).toMatchObject({ from: IMAGE, verified });
    expect(known.files.get('a.txt')).toMatchObject({ digest: text.digest, verified });
    expect(differenceOf(contentsOfBundle(manifest), known).same).toBe(true);
    expect(differenceOf(contentsOfBundle(manifest, lockOf('none')), known).images.changed).toHaveLength(1);
  });

  test('with a lock that pins other content is not told of by it', () => {
    const other = { image: digest('another'), file: digest('another file') };
    const wrong = contentsOfBundle(manifest, lockOf({ by: 'cosign', key: 'k' }, other));
    expect(wrong).toEqual(contentsOfBundle(manifest));
  });

  test('has its own documents among its blobs, and not among its files', () => {
    const { files, blobs } = contentsOfBundle(manifest);
    expect([...files.keys()]).toEqual(['a.txt']);
    expect(blobs?.size).toBe(manifest.entries.filter(({ path }) => path.startsWith('blobs/')).length);
    expect(blobs?.has(digestOf(Buffer.from('lock')))).toBe(true);
  });

  test('tells charts from images', () => {
    const charts = contentsOfBundle({ ...manifest, images: [{ ...packed!, name: CHART, artifact: true }] });
    const { images, charts: found } = differenceOf(contentsOfBundle(manifest), charts);
    expect(namesIn(images.removed)).toEqual([IMAGE]);
    expect(namesIn(found.added)).toEqual([CHART]);
    expect([images.added, found.removed]).toEqual([[], []]);
  });
});
