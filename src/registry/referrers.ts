// Referrers (distribution-spec, "Listing Referrers" and "Referrers Tag Schema"): by the API where the registry has it, else
// by the index that clients keep under the tag sha256-<hex>.
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { descriptorOf, type Descriptor } from '../oci/descriptor.ts';
import { parseManifest, type Index } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { referrersTag } from '../oci/referrer-tags.ts';
import { headerOf } from './answer.ts';
import { isHttpError } from './http-error.ts';
import { getManifest, putManifest, type ManifestContext, type ReceivedManifest } from './manifests.ts';
import { pages } from './pages.ts';
import { repositoryScope } from './scope.ts';

const MAX_REFERRERS = 10_000;

/** The manifests whose subject this is; an empty list when there are none. */
export async function listReferrers(
  context: ManifestContext,
  subject: Digest,
  signal?: AbortSignal,
): Promise<Descriptor[]> {
  try {
    return await listByApi(context, subject, signal);
  } catch (error) {
    if (!isHttpError(error, 404, 405, 501)) throw error;
    return (await taggedReferrers(context, subject, signal))?.manifests.slice() ?? [];
  }
}

/** What a manifest says about its subject, as far as it can be read. */
export function subjectOf(
  bytes: Uint8Array,
): { subject: Digest; artifactType?: string; annotations?: Record<string, string> } | undefined {
  const result = v.safeParse(SubjectSchema, parseJson(bytes));
  if (!result.success) return undefined;
  const { subject, artifactType, config, annotations } = result.output;
  const type = artifactType || config?.mediaType;
  return {
    subject: subject.digest,
    ...(type ? { artifactType: type } : {}),
    ...(annotations ? { annotations } : {}),
  };
}

/** Adds a referrer to the index under the tag; for registries that do not do it themselves. One at a time for each subject. */
export async function addTaggedReferrer(
  context: ManifestContext,
  manifest: ReceivedManifest,
  signal?: AbortSignal,
): Promise<void> {
  const about = subjectOf(manifest.bytes);
  if (about === undefined) return;
  const { subject, ...properties } = about;
  const index = await taggedReferrers(context, subject, signal);
  const known: readonly Descriptor[] = index?.manifests ?? [];
  if (known.some((descriptor) => descriptor.digest === manifest.descriptor.digest)) return;
  const manifests = [...known, { ...manifest.descriptor, ...properties }];
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: OCI_INDEX, manifests, annotations: index?.annotations });
  await putManifest(
    context,
    { descriptor: descriptorOf(bytes, OCI_INDEX), bytes },
    { reference: referrersTag(subject), signal },
  );
}

async function listByApi(context: ManifestContext, subject: Digest, signal?: AbortSignal): Promise<Descriptor[]> {
  const target = `${context.name}/referrers/${subject}`;
  const scopes = [repositoryScope(context.name, 'pull')];
  const found = new Map<Digest, Descriptor>();
  for await (const { answer, bytes } of pages(context.transport, {
    method: 'GET',
    target,
    scopes,
    headers: { accept: OCI_INDEX },
    signal,
  })) {
    if (!(headerOf(answer, 'content-type') ?? '').toLowerCase().startsWith(OCI_INDEX)) {
      throw new AirgapError('REGISTRY_PROTOCOL', `the registry answered ${target} with something that is not an index`);
    }
    for (const descriptor of asIndex(parseManifest(bytes, OCI_INDEX), target).manifests)
      found.set(descriptor.digest, descriptor);
    if (found.size > MAX_REFERRERS)
      throw new AirgapError('REGISTRY_PROTOCOL', `${target} lists more than ${MAX_REFERRERS} referrers`);
  }
  return [...found.values()];
}

async function taggedReferrers(
  context: ManifestContext,
  subject: Digest,
  signal?: AbortSignal,
): Promise<Index | undefined> {
  const tag = referrersTag(subject);
  try {
    const { bytes, descriptor } = await getManifest(context, tag, signal);
    return asIndex(parseManifest(bytes, descriptor.mediaType), `${context.name}:${tag}`);
  } catch (error) {
    if (isAirgapError(error, 'CONTENT_MISSING')) return undefined;
    throw error;
  }
}

function asIndex(parsed: ReturnType<typeof parseManifest>, where: string): Index {
  if (parsed.kind === 'index') return parsed;
  throw new AirgapError('REGISTRY_PROTOCOL', `${where} is an image, not an index of referrers`, {
    hint: 'Someone used the tag for something else; remove it, and push the signatures again.',
  });
}

/** Null is the same as absent (manifest.ts). */
const Annotations = v.pipe(
  v.record(v.string(), v.nullable(v.string())),
  v.transform((all) =>
    Object.fromEntries(Object.entries(all).flatMap(([key, text]) => (text === null ? [] : [[key, text] as const]))),
  ),
);

const SubjectSchema = v.object({
  subject: v.object({ digest: v.custom<Digest>(isDigest) }),
  artifactType: v.nullish(v.string()),
  config: v.nullish(v.object({ mediaType: v.nullish(v.string()) })),
  annotations: v.nullish(Annotations),
});

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}
