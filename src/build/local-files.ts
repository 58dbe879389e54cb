// The files that airgap.yaml names on this machine, looked at before anything is asked of the network: a slip of the pen is
// found in a moment, and not after an hour of downloads. What is in them is for those who read them.
import { resolve } from 'node:path';
import { AirgapError, isAirgapError } from '../core/errors.ts';
import { openNamedFile } from '../core/named-file.ts';
import type { BundleSpec } from '../bundle/spec.ts';

interface LocalFile {
  /** Where airgap.yaml names it: `files[0].path`. */
  readonly key: string;
  readonly path: string;
}

/** @throws FILE_NOT_FOUND, PATH_INVALID, IO_FAILED, each with the key of airgap.yaml */
export async function requireLocalFiles(spec: BundleSpec, folder: string): Promise<void> {
  for (const { key, path } of localFiles(spec)) {
    try {
      await (await openNamedFile(resolve(folder, path))).close();
    } catch (error) {
      if (!isAirgapError(error)) throw error;
      const { code, message, details } = error;
      throw new AirgapError(code, `${key}: ${message}`, { cause: error, details, hint: wayOut(error, key) });
    }
  }
}

function localFiles({ files, charts, elastic }: BundleSpec): LocalFile[] {
  const named = [
    ...(elastic?.licence === undefined ? [] : [{ key: 'elastic.licence', path: elastic.licence }]),
    ...files.map(({ path }, i) => ({ key: `files[${i}].path`, path })),
    ...charts.map(({ path }, i) => ({ key: `charts[${i}].path`, path })),
  ];
  return named.flatMap(({ key, path }) => (path === undefined ? [] : [{ key, path }]));
}

function wayOut(error: AirgapError, key: string): string | undefined {
  if (error.code === 'FILE_NOT_FOUND') return error.hint ?? 'Relative paths start from the folder of airgap.yaml.';
  if (error.code !== 'PATH_INVALID') return error.hint;
  return key.startsWith('charts')
    ? 'Package the chart with "helm package FOLDER", and name the .tgz that it writes.'
    : 'Name a file; a folder is carried as an archive of it ("tar -czf NAME.tgz FOLDER").';
}
