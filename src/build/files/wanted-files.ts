// From airgap.yaml to the files that the lock pins: those that follow from `elastic`, the licence, and the user's own. Pure:
// nothing is read.
import { basename } from 'node:path';
import * as v from 'valibot';
import type { Digest } from '../../core/digest.ts';
import { AirgapError } from '../../core/errors.ts';
import { OWN_FILES, type LockedSelection, type Use } from '../../bundle/lock.ts';
import { FileName } from '../../bundle/manifest.ts';
import type { BundleSpec, FileSource } from '../../bundle/spec.ts';
import { filesFor, type FollowingFile } from '../../catalog/following-files.ts';
import { catalogueIn } from '../../catalog/overrides.ts';
import { inFull } from '../ignored-images.ts';
import { showUrl } from '../../registry/url-policy.ts';

/** Where a file is: at a URL, or at a path of the user's. */
export interface Place {
  readonly url?: string | undefined;
  readonly path?: string | undefined;
}

/** One file that a bundle must hold. It has either a `url` or a `path`. */
export interface WantedFile {
  /** In the bundle. */
  readonly name: string;
  readonly kind: FollowingFile['kind'] | 'licence' | 'own';
  readonly url?: string;
  /** As airgap.yaml has it. */
  readonly path?: string;
  /** What its content must be, by airgap.yaml. */
  readonly digest?: Digest;
  /** URL of a list of sha256 sums that has one under its name. */
  readonly checksums?: string;
  /** The OpenPGP key that it must be. */
  readonly fingerprint?: string;
  /** Full references of images that it names and that are not to be carried. */
  readonly ignoreImages?: readonly string[];
  /** Absent for the user's own. */
  readonly use?: Use;
  /** Who asks for it, for messages. */
  readonly neededBy: string;
}

const LICENCE_FILE = 'licence.json';

/**
 * @param selection what was chosen of the catalogue, where something was
 * @throws CONFIG_INVALID for a name that is none, that two files have, or that a file of every bundle has; VERSION_INVALID
 */
export function wantedFiles(
  { files, platforms, elastic }: Pick<BundleSpec, 'files' | 'platforms' | 'elastic'>,
  selection?: LockedSelection,
): WantedFile[] {
  const following =
    selection === undefined ? [] : filesFor(selection, { catalogue: catalogueIn(selection), platforms });
  const wanted = [...following, ...licence(elastic), ...files.map((file) => ownFile(file))];
  for (const file of wanted) checkName(file, wanted);
  return wanted;
}

/** The path that it has where it comes from. */
export function pathOf({ url, path = '' }: Place): string {
  return url === undefined ? path : new URL(url).pathname;
}

/** Where it comes from, for messages. */
export function placeOf({ url, path = '' }: Place): string {
  return url === undefined ? path : showUrl(new URL(url));
}

function licence(elastic: BundleSpec['elastic']): WantedFile[] {
  if (elastic?.licence === undefined) return [];
  const use = { component: 'eck-operator', version: elastic.eck, why: 'the licence that the operator applies' };
  return [{ name: LICENCE_FILE, kind: 'licence', path: elastic.licence, use, neededBy: 'elastic.licence' }];
}

function ownFile(source: FileSource): WantedFile {
  const { ignoreImages = [], ...file } = source;
  return {
    ...file,
    name: ownName(source),
    kind: 'own',
    ignoreImages: ignoreImages.map(inFull),
    neededBy: 'airgap.yaml',
  };
}

/** What a file of airgap.yaml is called in the bundle. */
export function ownName(source: FileSource): string {
  return source.name ?? basename(pathOf(source));
}

function checkName(file: WantedFile, all: readonly WantedFile[]): void {
  const { name } = file;
  const hint = 'Give the file of airgap.yaml another "name".';
  if (!v.is(FileName, name)) {
    throw new AirgapError(
      'CONFIG_INVALID',
      `${placeOf(file)}: ${JSON.stringify(name)} cannot name a file of a bundle`,
      {
        hint: 'Give it a "name" in airgap.yaml: 1 to 128 of A-Z, a-z, 0-9, ".", "_", "+", "-".',
      },
    );
  }
  if (OWN_FILES.includes(name)) {
    throw new AirgapError('CONFIG_INVALID', `${name} is the name of a file that every bundle has`, { hint });
  }
  const same = all.filter((other) => other.name === name);
  if (same.length > 1) {
    const places = same.map(placeOf).join(' and ');
    throw new AirgapError('CONFIG_INVALID', `two files of the bundle are named ${name}: ${places}`, { hint });
  }
}
