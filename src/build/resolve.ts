// From an image's name to what the lock pins: the digest of what will be pushed, cut to the wanted platforms, and all
// that refers to it upstream (signatures, attestations, referrers).
import type { Activity } from '../core/events.ts';
import { forEach } from '../core/pool.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import type { Digest } from '../core/digest.ts';
import { accompanyingWord } from '../bundle/accompanying.ts';
import type { LockedImage } from '../bundle/lock.ts';
import { ELASTIC_REGISTRY } from '../catalog/image-name.ts';
import type { Cache } from '../oci/cache.ts';
import { walkGraph } from '../oci/copy.ts';
import { contentOf } from '../oci/content.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isImageConfigType } from '../oci/media-types.ts';
import { isNode, readManifest, type ForeignDescriptor } from '../oci/manifest.ts';
import { isUnknownPlatform, parsePlatform } from '../oci/platform.ts';
import { selectPlatforms, type Choice, type Selection } from '../oci/platform-selection.ts';
import { parseReference, referencePart } from '../oci/reference.ts';
import { cosignTags } from '../oci/referrer-tags.ts';
import type { Fetcher } from '../oci/target.ts';
import { isNotThere } from '../registry/http-error.ts';
import type { Repository } from '../registry/repository.ts';
import { anotherSource } from './another-source.ts';
import { Companions } from './companions.ts';
import { vouchedBy, type SignaturePolicy } from './image-signatures.ts';
import { readThrough } from './read-through.ts';
import type { Sources } from './sources.ts';

export type WantedPlatforms = 'all' | readonly string[];

export interface ResolveContext extends Activity {
  readonly cache: Cache;
  readonly sources: Sources;
  readonly platforms: WantedPlatforms;
  /** The reference to take it from; its name by default. */
  readonly from?: string | undefined;
  readonly policy: SignaturePolicy;
}

type Pinned = LockedImage['accompanying'][number];
type Identity = Pick<Descriptor, 'digest' | 'mediaType' | 'size'>;

/** Referrers may have referrers (a signature on an SBOM); deeper than this nobody goes. */
const REFERRER_DEPTH = 3;
/** Signatures, attestations and other referrers of one image; each is asked for referrers of its own. */
const MAX_ACCOMPANYING = 2000;
/** Questions about one image at a time. */
const QUESTIONS = 16;

/** @throws CONTENT_MISSING, PLATFORM_MISSING, SIGNATURE_INVALID and the registry's errors, each naming the image */
export async function resolveImage(name: string, context: ResolveContext): Promise<LockedImage> {
  const { from } = context;
  const task = async (): Promise<LockedImage> => {
    const reference = parseReference(from ?? name);
    const repository = context.sources.repository(reference);
    const source = readThrough(context.cache, repository);
    const { signal } = context;
    const found = await repository.resolve(referencePart(reference), { signal });
    const companions = new Companions({ ...context, image: name, repository, source });
    const where = `${reference.registry}/${reference.repository}`;
    const upstream = { repository, source, companions, where };
    const { selection, without } = await selectFetchable(found, upstream, context);
    const accompanying = await findAccompanying(selection, upstream, context);
    const graph = await walkGraph(source, [selection.root, ...accompanying], { signal });
    const image = {
      name,
      ...(from === undefined ? {} : { from }),
      ...pin(selection.root),
      ...(selection.original === undefined ? {} : { original: pin(selection.original) }),
      accompanying,
    };
    return {
      ...image,
      platforms: [...selection.platforms],
      ...(without.length === 0 ? {} : { without }),
      ...((await isArtifact(source, selection.root)) ? { artifact: true as const } : {}),
      totalSize: sizeOf(graph),
      verified: await vouchedBy(source, image, { ...context.policy, signal }),
    };
  };
  return namingImage(name, task, from);
}

/** @throws MANIFEST_INVALID for descriptors that say more together than a number can */
function sizeOf(graph: readonly Descriptor[]): number {
  const size = graph.reduce((sum, descriptor) => sum + descriptor.size, 0);
  if (Number.isSafeInteger(size)) return size;
  throw new AirgapError('MANIFEST_INVALID', `an image of more than ${Number.MAX_SAFE_INTEGER} bytes is refused`);
}

/** Cuts an image to the wanted platforms; a filtered index that has to be made is put into the cache. */
export async function selectImage(
  source: Fetcher,
  original: Descriptor,
  context: Pick<ResolveContext, 'cache' | 'platforms'> & Pick<Choice, 'without'>,
): Promise<Selection> {
  const wanted = context.platforms === 'all' ? 'all' : context.platforms.map(parsePlatform);
  const selection = await selectPlatforms(source, original, { wanted, without: context.without });
  if (selection.rootBytes) await context.cache.push(selection.root, contentOf(selection.rootBytes));
  return selection;
}

/** Errors met while working on an image begin with its name, and say where it is taken from if that is elsewhere. */
export async function namingImage<T>(name: string, task: () => Promise<T>, from?: string): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!isAirgapError(error) || error.message.startsWith(name)) throw error;
    throw new AirgapError(error.code, `${name}${from === undefined ? '' : ` from ${from}`}: ${error.message}`, {
      cause: error,
      details: { image: name, ...(from === undefined ? {} : { from }), ...error.details },
      hint: wayOut(error, name, from),
    });
  }
}

function wayOut(error: AirgapError, name: string, from: string | undefined): string | undefined {
  if (error.code === 'CONTENT_MISSING' && from !== undefined) return anotherSource([name]);
  if (error.code !== 'REGISTRY_UNAUTHORIZED' || error.details['host'] !== ELASTIC_REGISTRY) return error.hint;
  return error.details['credentials'] === undefined
    ? `What is public on ${ELASTIC_REGISTRY} needs no account: check the name and version of the image.`
    : `What is public on ${ELASTIC_REGISTRY} needs no account: remove the credentials for it ("docker logout ${ELASTIC_REGISTRY}").`;
}

/** Where an image is taken from. */
interface Upstream {
  readonly repository: Repository;
  readonly source: Fetcher;
  readonly companions: Companions;
  /** The repository, as people write it. */
  readonly where: string;
}

/** The image without those of its attestations that cannot be had. */
async function selectFetchable(
  found: Descriptor,
  { source, companions, where }: Upstream,
  context: ResolveContext,
): Promise<{ selection: Selection; without: Digest[] }> {
  const whole = await selectImage(source, found, context);
  for (const { digest, platform } of whole.foreign)
    if (platform === undefined || isUnknownPlatform(platform))
      companions.lost({ what: 'attestation', where: `${where}@${digest}` }, NOT_SHA256);
  const optional = [...(await optionalChildren(source, whole.root)), ...whole.accompanying];
  const describe = ({ digest }: Descriptor) => ({ what: 'attestation', where: `${where}@${digest}` });
  const kept = await companions.fetchable(optional, describe);
  const without = optional.filter((one) => !kept.includes(one)).map(({ digest }) => digest);
  if (without.length === 0) return { selection: whole, without };
  return { selection: await selectImage(source, found, { ...context, without }), without: without.sort() };
}

const NOT_SHA256 = 'its digest is not sha256';

/** Attestations, and what else in an index is no image. */
async function optionalChildren(source: Fetcher, root: Descriptor): Promise<readonly Descriptor[]> {
  const node = await readManifest(source, root);
  if (node.kind === 'manifest') return [];
  return node.manifests.filter(
    (child) => isUnknownPlatform(child.platform) || child.artifactType !== undefined || !isNode(child),
  );
}

async function findAccompanying(selection: Selection, upstream: Upstream, context: ResolveContext): Promise<Pinned[]> {
  const { source, companions, where } = upstream;
  const describe = (one: Pinned) => ({ what: accompanyingWord(one), where: `${where}@${one.digest}` });
  const found = new Map<Digest, Pinned>();
  for (const descriptor of selection.accompanying) found.set(descriptor.digest, pinAccompanying(descriptor));
  const root = await readManifest(source, selection.root);
  const children = root.kind === 'index' ? root.manifests : [];
  let subjects: readonly Identity[] = distinct([
    selection.root,
    ...(selection.original ? [selection.original] : []),
    ...children,
  ]);
  for (const pinned of await findCosignTags(upstream, subjects, context)) found.set(pinned.digest, pinned);
  for (let depth = 0; subjects.length > 0 && depth < REFERRER_DEPTH; depth++) {
    const find = (subject: Identity, signal: AbortSignal): Promise<readonly Descriptor[]> =>
      findReferrers(subject, upstream, { ...context, signal });
    const lists = await forEach(subjects, find, { concurrency: QUESTIONS, signal: context.signal });
    const fresh = new Map(lists.flat().map((referrer) => [referrer.digest, pinAccompanying(referrer)]));
    for (const digest of found.keys()) fresh.delete(digest);
    if (found.size + fresh.size > MAX_ACCOMPANYING) throw tooManyAccompanying();
    const kept = await companions.fetchable([...fresh.values()], describe);
    for (const referrer of kept) found.set(referrer.digest, referrer);
    subjects = kept;
  }
  return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

/** A list that cannot be understood is as good as none, and is named. */
async function findReferrers(
  subject: Identity,
  { repository, companions, where }: Upstream,
  { signal }: ResolveContext,
): Promise<readonly Descriptor[]> {
  const onForeign = (one: ForeignDescriptor): void =>
    companions.lost({ what: accompanyingWord(one), where: `${where}@${one.digest}` }, NOT_SHA256);
  const list = { what: 'list of referrers', where: `${where}@${subject.digest}` };
  return (await companions.unlessLost(list, () => repository.referrers(subject, { signal, onForeign }))) ?? [];
}

function distinct<T extends Identity>(all: readonly T[]): T[] {
  return [...new Map(all.map((one) => [one.digest, one])).values()];
}

function tooManyAccompanying(): AirgapError {
  return new AirgapError(
    'MANIFEST_INVALID',
    `more than ${MAX_ACCOMPANYING} signatures, attestations and other referrers are listed for one image`,
    { hint: 'Copy the image alone into a registry of your own, and name that under "sources" of airgap.yaml.' },
  );
}

async function findCosignTags(
  { repository, companions, where }: Upstream,
  subjects: readonly Identity[],
  { signal }: ResolveContext,
): Promise<Pinned[]> {
  const describe = ({ tag = '' }: Pick<Pinned, 'tag'>) => ({
    what: accompanyingWord({ tag }),
    where: `${where}:${tag}`,
  });
  const tags = subjects.flatMap((subject) => cosignTags(subject.digest));
  const found = await forEach(
    tags,
    (tag, own) => companions.unlessLost(describe({ tag }), () => resolveIfThere(repository, tag, own)),
    { concurrency: QUESTIONS, signal },
  );
  const pinned = found.flatMap((one, i) => (one ? [{ ...pinAccompanying(one), tag: tags[i] ?? '' }] : []));
  return companions.fetchable(pinned, describe);
}

async function resolveIfThere(
  repository: Repository,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<Descriptor | undefined> {
  try {
    return await repository.resolve(tag, { signal });
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
}

async function isArtifact(source: Fetcher, root: Descriptor): Promise<boolean> {
  const manifest = await readManifest(source, root);
  return manifest.kind === 'manifest' && !isImageConfigType(manifest.config.mediaType);
}

function pin({ digest, mediaType, size }: Descriptor): { digest: Digest; mediaType: string; size: number } {
  return { digest, mediaType, size };
}

function pinAccompanying(descriptor: Descriptor): Pinned {
  return {
    ...pin(descriptor),
    ...(descriptor.artifactType === undefined ? {} : { artifactType: descriptor.artifactType }),
  };
}
