// The closure proof: every image that an installation will pull is in the bundle, under the name that will be asked for,
// for each platform, whichever of the two settings the operator is given. A pure function of the lock and of what is held;
// `build` makes it before it writes, `inspect --closure` repeats it from the bundle alone.
import type { Lock } from '../bundle/lock.ts';
import type { Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { parseReference } from '../oci/reference.ts';
import { FLATTENED, needsOf, settings, type Need, type Setting } from './needs.ts';
import { collisionRemedy, describeCollision, nameImages, targetRepositories } from './target-names.ts';

/** An image as it is held, not as a document says it is. */
export interface HeldImage {
  readonly name: string;
  readonly digest: Digest;
  /** What the tag named upstream, where it was cut to some platforms. */
  readonly original?: { readonly digest: Digest };
  readonly platforms: readonly string[];
  readonly artifact?: true;
}

export interface ProvenImage {
  /** `repository:tag` below the registry: where it will be looked for. */
  readonly image: string;
  /** The image of the bundle that is loaded there, or that would have to be. */
  readonly source: string;
  /** Those it is needed for. */
  readonly platforms: readonly string[];
  readonly neededBy: readonly string[];
  /** The operator derives the name, or a resource or manifest gives it. */
  readonly named: 'operator' | 'given';
  readonly present: boolean;
  /** What it has to be asked for by, where it was cut from the index whose digest is named: that will not be there. */
  readonly pushedAs?: Digest;
  /** Platforms it is needed for and does not have, where it is there. */
  readonly platformsMissing: readonly string[];
}

export interface SettingProof {
  readonly setting: Setting;
  readonly images: readonly ProvenImage[];
  /** Why a load with this setting is refused, and the way out: each a sentence. */
  readonly collisions: readonly string[];
}

export interface MissingImage {
  /** What airgap.yaml would have to name. */
  readonly image: string;
  readonly neededBy: readonly string[];
  /** The platforms it lacks; empty where it is not there at all. */
  readonly platforms: readonly string[];
}

export interface ClosureProof {
  readonly settings: readonly SettingProof[];
  /** By name, each once; nothing for a complete bundle. */
  readonly missing: readonly MissingImage[];
}

/** @throws what `needsOf` refuses */
export function proveClosure(lock: Lock, held: readonly HeldImage[]): ClosureProof {
  const needs = needsOf(lock);
  const proofs = settings.map((setting) => proveFor(setting, needs, { lock, held }));
  return { settings: proofs, missing: missingOf(proofs.flatMap(({ images }) => images)) };
}

const SHOWN = 10;

/** @throws BUNDLE_INCOMPLETE naming what is missing, why it is needed and what to add */
export function requireComplete({ missing }: ClosureProof): void {
  if (missing.length === 0) return;
  const named = missing.map(describeMissing);
  const more = named.length > SHOWN ? [`and ${named.length - SHOWN} more`] : [];
  const absent = missing.filter(({ platforms }) => platforms.length === 0).map(({ image }) => `"${image}"`);
  throw new AirgapError('BUNDLE_INCOMPLETE', [...named.slice(0, SHOWN), ...more].join('; '), {
    hint:
      absent.length === 0
        ? 'Run "eck-airgap lock" again, or leave that platform out of airgap.yaml.'
        : `Run "eck-airgap lock" again; what it leaves out, add to airgap.yaml: images: [${absent.slice(0, SHOWN).join(', ')}]`,
    details: { missing },
  });
}

function describeMissing({ image, platforms, neededBy }: MissingImage): string {
  const what = platforms.length === 0 ? `${image} is missing` : `${image} is missing for ${platforms.join(', ')}`;
  return `${what} (needed by ${neededBy.join(', ')})`;
}

interface Given {
  readonly lock: Lock;
  readonly held: readonly HeldImage[];
}

interface Loaded extends Given {
  readonly naming: { readonly prefix: string; readonly flatten?: string };
  /** `repository:tag` to what `load` puts there. */
  readonly targets: ReadonlyMap<string, HeldImage>;
}

function proveFor(setting: Setting, needs: readonly Need[], given: Given): SettingProof {
  const naming = setting === 'container-registry' ? { prefix: '' } : { prefix: '', flatten: FLATTENED };
  const { names, collisions } = nameImages(given.held, naming);
  const targets = new Map<string, HeldImage>();
  for (const { image, repository, tag } of names) {
    const target = `${repository}:${tag}`;
    if (!targets.has(target)) targets.set(target, image);
  }
  const loaded = { ...given, naming, targets };
  return {
    setting,
    images: merge(needs.map((need) => prove(need, setting, loaded))),
    collisions: collisions.map((collision) => `${describeCollision(collision)}. ${collisionRemedy(naming)}`),
  };
}

/**
 * A derived name counts when `load` puts an image there; else the lock must say that the resource names its image, and
 * that one must be held.
 */
function prove(need: Need, setting: Setting, loaded: Loaded): ProvenImage {
  const asked = need.derived?.[setting];
  const there = asked === undefined ? undefined : loaded.targets.get(asked);
  if (asked !== undefined && there !== undefined)
    return row(need, { image: asked, source: there.name, named: 'operator' }, there);
  const given = loaded.held.find((image) => isWhatIsNamed(image, need.name));
  const mayBeGiven = asked === undefined || (given !== undefined && namesItsImage(need, loaded.lock));
  return mayBeGiven
    ? row(need, { image: targetOf(need.name, given, loaded), source: need.name, named: 'given' }, given)
    : row(need, { image: asked, source: need.name, named: 'operator' }, undefined);
}

function row(
  { name, platforms, neededBy }: Need,
  place: Pick<ProvenImage, 'image' | 'source' | 'named'>,
  held: HeldImage | undefined,
): ProvenImage {
  const platformsMissing = held === undefined ? [] : platforms.filter((one) => !held.platforms.includes(one));
  const present = held !== undefined && platformsMissing.length === 0;
  const wanted = parseReference(name).digest;
  const cut = held !== undefined && wanted !== undefined && wanted !== held.digest;
  return {
    ...place,
    platforms: [...platforms],
    neededBy: [neededBy],
    present,
    ...(cut ? { pushedAs: held.digest } : {}),
    platformsMissing,
  };
}

/** A manifest may name a digest too: that of what is carried, or of the index it was cut from. */
function isWhatIsNamed(image: HeldImage, name: string): boolean {
  const wanted = parseReference(name);
  const { registry, repository, tag } = parseReference(image.name);
  if (registry !== wanted.registry || repository !== wanted.repository) return false;
  if (wanted.tag !== undefined && wanted.tag !== tag) return false;
  return wanted.digest === undefined || [image.digest, image.original?.digest].includes(wanted.digest);
}

function namesItsImage({ name, use }: Need, { images }: Lock): boolean {
  const uses = images.find((image) => image.name === name)?.uses ?? [];
  return uses.some(
    ({ component, version, needsSpecImage }) =>
      needsSpecImage === true && component === use?.component && version === use.version,
  );
}

function targetOf(name: string, held: HeldImage | undefined, { naming }: Loaded): string {
  const { tag, digest } = parseReference(name);
  const [repository = ''] = targetRepositories(name, held?.artifact === true ? { prefix: naming.prefix } : naming);
  return `${repository}${tag === undefined ? `@${digest ?? ''}` : `:${tag}`}`;
}

/** By name, each once, with all who need it. */
function merge(rows: readonly ProvenImage[]): ProvenImage[] {
  const byImage = new Map<string, ProvenImage>();
  for (const one of rows) {
    const key = `${one.image} ${one.named} ${one.source}`;
    const known = byImage.get(key);
    byImage.set(key, known === undefined ? one : joined(known, one));
  }
  return [...byImage].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function joined(a: ProvenImage, b: ProvenImage): ProvenImage {
  return {
    ...a,
    platforms: union(a.platforms, b.platforms),
    neededBy: union(a.neededBy, b.neededBy),
    present: a.present && b.present,
    platformsMissing: union(a.platformsMissing, b.platformsMissing),
  };
}

function missingOf(rows: readonly ProvenImage[]): MissingImage[] {
  const byImage = new Map<string, MissingImage>();
  for (const { source, neededBy, platformsMissing, present } of rows) {
    if (present) continue;
    const known = byImage.get(source);
    byImage.set(source, {
      image: source,
      neededBy: union(known?.neededBy ?? [], neededBy),
      platforms: union(known?.platforms ?? [], platformsMissing),
    });
  }
  return [...byImage].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function union(a: readonly string[], b: readonly string[]): string[] {
  return [...new Set([...a, ...b])];
}
