// `load`, killed: a tag names only what is all there, at any time, and the next run ends with the registry of a run that nothing
// disturbed.
import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import type { RegistryStore } from '../../src/registry/server/store.ts';
import { MIB } from '../bench/image.ts';
import { BUILD_ARGV, type BuildReference } from './build-job.ts';
import { incompleteTags, tagsOf, type Tags } from './enclave.ts';
import { leftovers, otherThan, readText } from './folders.ts';
import type { Job } from './job.ts';
import { FIRST_CHUNK } from '../../src/registry/registry.ts';
import { runProgram } from './program.ts';
import { newEnclave, newFolder, type Site } from './site.ts';
import type { Phases } from './watched.ts';

const PREFIX = 'site';
const RECEIPT = 'site-alpha.receipt.json';
interface LoadReference {
  readonly tags: Tags;
  readonly receipt: string;
}

export async function loadJob(site: Site, built: BuildReference): Promise<Job> {
  const argv = loadArgv(site, built);
  const reference = await referenceLoad(site, argv);
  let store: Required<RegistryStore>;
  return {
    name: 'load',
    argv,
    phases: loadPhases(site),
    limit: FIRST_CHUNK,
    begin: async () => {
      store = await newEnclave(site);
      return newFolder(site, 'run');
    },
    afterKill: async (folder) => [
      ...(await incompleteTags(store)),
      ...(await otherThan(reference.receipt, folder, RECEIPT, { orNone: true })),
    ],
    afterResume: async (folder) => [
      ...(await incompleteTags(store)),
      ...differing(await tagsOf(store), reference.tags),
      ...(await otherThan(reference.receipt, folder, RECEIPT)),
      ...(await leftovers(folder)),
      ...(await openUploads(folder)),
      ...(site.enclave.uploads.strange() > MIB ? ['bytes were sent that no image has'] : []),
    ],
    transferred: () => site.enclave.uploads.received(),
  };
}

function loadArgv({ enclave }: Site, { folder }: BuildReference): string[] {
  const media = join(folder, BUILD_ARGV[BUILD_ARGV.indexOf('--out') + 1] ?? '');
  return ['load', media, '--key', 'airgap.pub', '--registry', `${enclave.host}/${PREFIX}`];
}

/** @throws Error when a load that nothing disturbs fails */
async function referenceLoad(site: Site, argv: readonly string[]): Promise<LoadReference> {
  const store = await newEnclave(site);
  const folder = await newFolder(site, 'reference-load');
  const { status, stderr } = await runProgram(site.program, folder, argv);
  const faults = await incompleteTags(store);
  if (status !== 0 || faults.length > 0)
    throw new Error([`load ended with ${status}: ${stderr}`, ...faults].join('\n'));
  return { tags: await tagsOf(store), receipt: (await readText(folder, RECEIPT)) ?? '' };
}

function loadPhases({ enclave }: Site): Phases {
  return {
    names: ['plan', 'push', 'tag', 'receipt'],
    printed: { push: /^pushing to/m },
    watch: (enter) => {
      enclave.observe((repository, tag) => {
        if (tag !== undefined) enter(repository.endsWith('eck-airgap/receipts') ? 'receipt' : 'tag');
      });
      return () => enclave.observe(() => undefined);
    },
  };
}

function differing(found: Tags, reference: Tags): string[] {
  const names = [...new Set([...found.keys(), ...reference.keys()])];
  return names
    .filter((name) => found.get(name) !== reference.get(name))
    .map((name) => `${name} is ${found.get(name) ?? 'not there'}, not ${reference.get(name) ?? 'absent'}`);
}

/** Uploads that the journal still remembers. */
async function openUploads(folder: string): Promise<string[]> {
  const state = join(folder, '.state', 'eck-airgap');
  const journals = (await readdir(state).catch(() => [])).filter((name) => /^uploads-.*\.json$/.test(name));
  const texts = await Promise.all(journals.map((name) => readText(state, name)));
  return texts.filter((text) => text !== '{}').map((text) => `uploads are still remembered: ${text}`);
}
