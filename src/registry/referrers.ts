// Referrers (distribution-spec, "Listing Referrers" and "Referrers Tag Schema"): by the API where the registry has it, else
// by the index that clients keep under the tag sha256-<hex>.
import * as v from 'valibot';
import { canonicalJson } from '../core/canonical-json.ts';
import { isDigest, type Digest } from '../core/digest.ts';
import { AirgapError } from '../core/errors.ts';
import { descriptorOf, type Descriptor } from '../oci/descriptor.ts';
import { parseManifest, type ForeignDescriptor, type Index, type ParseOptions } from '../oci/manifest.ts';
import { OCI_INDEX } from '../oci/media-types.ts';
import { referrersTag } from '../oci/referrer-tags.ts';
import { headerOf, type Page } from './answer.ts';
import { isHttpError, isNotThere } from './http-error.ts';
import { getManifest, putManifest, readScopes, type ManifestContext, type ReceivedManifest } from './manifests.ts';
import { pages } from './pages.ts';
import { isRedirectRefused, type Call } from './transport.ts';

const MAX_REFERRERS = 10_000;

export interface ReferrersOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called with each referrer that has a digest of another algorithm than sha256, which is left out; by default it is an error. */
  readonly onForeign?: ((referrer: ForeignDescriptor) => void) | undefined;
}

/** The manifests whose subject this is; an empty list when there are none. */
export async function listReferrers(
  context: ManifestContext,
  subject: Digest,
  options: ReferrersOptions = {},
): Promise<Descriptor[]> {
  const listed = await listByApi(context, subject, options);
  return listed ?? usable(await taggedReferrers(context, subject, options), options);
}

function parsing({ onForeign }: ReferrersOptions): ParseOptions {
  return { foreign: onForeign !== undefined };
}

function usable(index: Index | undefined, { onForeign }: ReferrersOptions): Descriptor[] {
  for (const referrer of index?.foreign ?? []) onForeign?.(referrer);
  return index?.manifests.slice() ?? [];
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
  const index = await taggedReferrers(context, subject, { signal });
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

/** Undefined where the registry has no API for them, as its first response shows. */
async function listByApi(
  context: ManifestContext,
  subject: Digest,
  options: ReferrersOptions,
): Promise<Descriptor[] | undefined> {
  const { signal } = options;
  const target = `${context.name}/referrers/${subject}`;
  const call: Call = { method: 'GET', target, scopes: readScopes(context), headers: { accept: OCI_INDEX }, signal };
  const found = new Map<Digest, Descriptor>();
  let answered = false;
  try {
    for await (const page of pages(context.transport, call)) {
      if (!isListOfReferrers(page)) throw new NoReferrersApi(target);
      answered = true;
      const index = asIndex(parseManifest(page.bytes, OCI_INDEX, parsing(options)), target);
      for (const descriptor of usable(index, options)) found.set(descriptor.digest, descriptor);
      if (found.size > MAX_REFERRERS)
        throw new AirgapError('REGISTRY_PROTOCOL', `${target} lists more than ${MAX_REFERRERS} referrers`);
    }
  } catch (error) {
    if (!answered && isNoApi(error)) return undefined;
    throw error;
  }
  return [...found.values()];
}

/** A response with status 200 that is not a list of referrers: some servers send 200 for every path. */
class NoReferrersApi extends AirgapError {
  constructor(target: string) {
    super('REGISTRY_PROTOCOL', `the registry sent something that is not an index for ${target}`);
  }
}

/**
 * The ways in which registries say that they have no such endpoint. Being refused (401, 403), limited (429) or failed (5xx)
 * is none of them: there may be referrers.
 */
function isNoApi(error: unknown): boolean {
  return (
    error instanceof NoReferrersApi ||
    isHttpError(error, 400, 404, 405, 406, 410, 415, 501) ||
    // to a page to log in at, or of documentation
    (isHttpError(error) && error.status >= 300 && error.status < 400) ||
    isRedirectRefused(error)
  );
}

function isListOfReferrers({ answer, bytes }: Page): boolean {
  const [type = ''] = (headerOf(answer, 'content-type') ?? '').split(';');
  const document = parseJson(bytes);
  const list =
    typeof document === 'object' && document !== null && 'manifests' in document ? document.manifests : undefined;
  return type.trim().toLowerCase() === OCI_INDEX && Array.isArray(list);
}

async function taggedReferrers(
  context: ManifestContext,
  subject: Digest,
  options: ReferrersOptions,
): Promise<Index | undefined> {
  const tag = referrersTag(subject);
  try {
    const { bytes, descriptor } = await getManifest(context, tag, options.signal);
    if (descriptor.digest === subject) return undefined; // some registries read the tag sha256-<hex> as the digest
    return asIndex(parseManifest(bytes, descriptor.mediaType, parsing(options)), `${context.name}:${tag}`);
  } catch (error) {
    if (isNotThere(error)) return undefined;
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
