// A by-product never fails a load: the receipt in the registry or as a file, the record and the journal of uploads here, the
// signatures that go along with an image. What cannot be left is named, and --strict makes that an error.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Missing } from '../../src/core/events.ts';
import { cosignTags } from '../../src/oci/referrer-tags.ts';
import type { CliOptions, CliResult } from '../support/cli.ts';
import { answersError, keepsTags, refusesContent } from '../support/faults.ts';
import type { FaultyRegistry, When } from '../support/faulty-registry.ts';
import { journey, type Journey } from '../support/journey.ts';
import { cosignSignature, randomArtifact, randomImage, randomIndex } from '../support/random-image.ts';
import { startServer } from '../support/registry-bench.ts';

const KIBANA = 'docker.elastic.co/kibana/kibana:9.5.2';
const APP = 'elastic/kibana/kibana';
const RECEIPTS = 'elastic/eck-airgap/receipts';
const ALWAYS = { times: Infinity };
const PUTS: When = { method: 'PUT', path: /\/manifests\//, ...ALWAYS };

const image = randomImage('kibana');
let site: Journey;
let enclave: FaultyRegistry;

beforeEach(async () => {
  site = await journey({ images: { [KIBANA]: image } });
  enclave = await startServer();
});
afterEach(() => site.end());

async function build(media = 'media', ...flags: string[]): Promise<void> {
  const result = await site.run('build', 'airgap.yaml', '--key', 'airgap.key', '--out', media, ...flags);
  expect(result.status).toBe(0);
}

interface Loaded {
  readonly missing: readonly Missing[];
  readonly receipt: { readonly file?: string; readonly reference?: string };
}

const loadWith = (options: Partial<CliOptions>, ...flags: string[]): Promise<CliResult> => {
  const to = ['media', '--key', 'airgap.pub', '--registry', `${enclave.host}/elastic`, '--retries', '0', '--json'];
  return site.runWith(options, 'load', ...to, ...flags);
};
const load = (...flags: string[]) => loadWith({}, ...flags);
const tagOf = (repository: string, tag: string) => enclave.memory.repository(repository).tags.get(tag);
const warnings = ({ stderr }: CliResult) => stderr.split('\n').filter((line) => line.startsWith('Warning:'));
const errorOf = ({ stdout }: CliResult) =>
  (JSON.parse(stdout) as { error: { code: string; message: string; hint?: string } }).error;

/** Everything is there, and each of these is named once in words and in the result. */
function expectLoadedWithout(result: CliResult, ...what: readonly string[]): Loaded {
  expect(result.status).toBe(0);
  expect(tagOf(APP, '9.5.2')).toBe(image.root.digest);
  const loaded = JSON.parse(result.stdout) as Loaded;
  expect(loaded.missing.map((one) => one.what)).toEqual(what);
  expect(warnings(result)).toHaveLength(what.length);
  for (const one of what) expect(result.stderr).toContain(`the ${one}`);
  return loaded;
}

async function expectStrict(done: boolean, ...flags: string[]): Promise<void> {
  const result = await load('--strict', ...flags);
  expect([result.status, errorOf(result).code]).toEqual([4, 'BY_PRODUCT_MISSING']);
  expect(errorOf(result).message).toContain(done ? 'every image was pushed and tagged' : 'nothing was pushed');
  expect(tagOf(APP, '9.5.2')).toBe(done ? image.root.digest : undefined);
}

describe('a registry that takes images and no receipts', () => {
  const WHERE = /\/eck-airgap\/receipts\//;
  beforeEach(() => build());

  test.each<[string, When, number, string]>([
    ['has no such project', { path: WHERE }, 404, 'NOT_FOUND'],
    ['does not allow it', { path: WHERE }, 403, 'DENIED'],
    ['has no such repository, and makes none', { path: WHERE, method: 'POST' }, 404, 'NAME_UNKNOWN'],
  ])('because it %s: that is found out before the first byte', async (_why, when, status, code) => {
    enclave.misbehave({ ...when, ...ALWAYS }, answersError(status, code));
    await expectStrict(false);
    const result = await load();
    expect(result.status).toBe(0);
    const loaded = JSON.parse(result.stdout) as Loaded;
    expect(loaded.missing).toEqual([
      expect.objectContaining({ what: 'receipt in the registry', where: `${enclave.host}/${RECEIPTS}` }),
    ]);
    expect(tagOf(APP, '9.5.2')).toBe(image.root.digest);
    expect(loaded.receipt).toEqual({ path: site.path('site-alpha.receipt.json') });
    expect(JSON.parse((await site.read('site-alpha.receipt.json')).toString())).toMatchObject({ kind: 'Receipt' });
  });

  test('because it knows no artifacts: that shows at the end alone', async () => {
    enclave.misbehave(PUTS, refusesContent(/artifactType/, 400, 'MANIFEST_INVALID'));
    expectLoadedWithout(await load(), 'receipt in the registry');
    await expectStrict(true);
  });

  test('a dry run names where the receipt goes, and changes nothing', async () => {
    const dry = await load('--dry-run');
    expect(JSON.parse(dry.stdout)).toMatchObject({ receipt: { target: `${enclave.host}/${RECEIPTS}:site-alpha` } });
    expect(enclave.requests.filter(({ method }) => !['GET', 'HEAD'].includes(method))).toEqual([]);
  });
});

test('a registry whose tags never move takes a second bundle of the name, and says which receipt is the last', async () => {
  enclave.misbehave(PUTS, keepsTags);
  await build('media', '--sequence', '1');
  expectLoadedWithout(await load());
  const next = randomImage('another');
  await site.publish('docker.elastic.co/kibana/kibana:9.5.3', next);
  await site.writeSpec({ images: ['docker.elastic.co/kibana/kibana:9.5.3'] });
  await rm(site.path('airgap.lock.yaml'));
  await rm(site.path('media'), { recursive: true });
  await build('media', '--sequence', '2');
  const second = await load('--strict');
  expect([second.status, warnings(second).length]).toEqual([0, 1]);
  expect(tagOf(APP, '9.5.3')).toBe(next.root.digest);
  const { receipt } = JSON.parse(second.stdout) as Loaded;
  expect(receipt.reference).toMatch(new RegExp(`^${enclave.host}/${RECEIPTS}:site-alpha-2-[0-9a-f]{12}$`));
});

describe('a receipt that cannot be written here', () => {
  beforeEach(() => build());

  test('because its folder is not there: that is found out before the first byte', async () => {
    const flags = ['--receipt', 'nowhere/receipt.json'];
    await expectStrict(false, ...flags);
    const { receipt } = expectLoadedWithout(await load(...flags), 'receipt as a file');
    expect(receipt).toEqual({ reference: `${enclave.host}/${RECEIPTS}:site-alpha` });
  });

  test('because it is a folder', async () => {
    await mkdir(site.path('receipt.json'));
    await expectStrict(false, '--receipt', 'receipt.json');
    expectLoadedWithout(await load('--receipt', 'receipt.json'), 'receipt as a file');
  });

  test('because the disk fails at the end: everything was pushed, and that is said', async () => {
    await mkdir(site.path('receipt.json.tmp'));
    await writeFile(site.path('receipt.json.tmp', 'in the way'), '');
    expectLoadedWithout(await load('--receipt', 'receipt.json'), 'receipt as a file');
    await expectStrict(true, '--receipt', 'receipt.json');
  });
});

test('a state folder that cannot be made is no condition of a load', async () => {
  await build();
  await writeFile(site.path('a file'), '');
  const result = await loadWith({ env: { XDG_STATE_HOME: site.path('a file') } });
  expect(result.status).toBe(0);
  const { missing } = JSON.parse(result.stdout) as Loaded;
  expect(missing.map((one) => one.what)).toEqual(['record of this load on this machine']);
  expect(tagOf(APP, '9.5.2')).toBe(image.root.digest);
});

describe('what goes along with an image', () => {
  const signature = cosignSignature(image.root);
  const [signatureTag = ''] = cosignTags(image.root.digest);
  const sbom = randomArtifact('sbom', { subject: image.root, artifactType: 'application/spdx+json' });

  beforeEach(async () => {
    await site.publish(KIBANA.replace('9.5.2', signatureTag), signature);
    await site.publish(KIBANA.replace('9.5.2', 'sbom'), sbom);
    await build();
  });

  test('is loaded where the registry takes it', async () => {
    expectLoadedWithout(await load());
    expect(tagOf(APP, signatureTag)).toBe(signature.root.digest);
    expect(enclave.memory.repository(APP).manifests.has(sbom.root.digest)).toBe(true);
  });

  test('and is refused is named, with the image; the image is there under its tag', async () => {
    enclave.misbehave(
      { ...PUTS, path: /kibana\/manifests\// },
      refusesContent(/simplesigning/, 400, 'MANIFEST_INVALID'),
    );
    const { missing } = expectLoadedWithout(await load(), 'signature');
    expect(missing).toEqual([
      expect.objectContaining({ of: KIBANA, where: `${enclave.host}/${APP}@${signature.root.digest}` }),
    ]);
    expect(enclave.memory.repository(APP).manifests.has(sbom.root.digest)).toBe(true);
    expect(tagOf(APP, signatureTag)).toBeUndefined();
    await expectStrict(true);
  });

  test('and has a subject, which the registry does not know, is named as what it is', async () => {
    enclave.misbehave({ ...PUTS, path: /kibana\/manifests\// }, refusesContent(/"subject"/, 400, 'MANIFEST_INVALID'));
    expectLoadedWithout(await load(), 'SBOM');
  });

  test('and may not have its tag is named by that', async () => {
    enclave.misbehave({ ...PUTS, path: /manifests\/sha256-/ }, answersError(405, 'UNSUPPORTED'));
    const { missing } = expectLoadedWithout(await load(), 'signature');
    expect(missing[0]?.where).toBe(`${enclave.host}/${APP}:${signatureTag}`);
  });

  test.each([
    [401, 'REGISTRY_UNAUTHORIZED'],
    [429, 'REGISTRY_RATE_LIMITED'],
  ])('is refused like everything else when the account is, by %s: that fails the load', async (status, code) => {
    enclave.misbehave({ ...PUTS, path: /kibana\/manifests\// }, refusesContent(/simplesigning/, status, 'UNKNOWN'));
    expect(errorOf(await load()).code).toBe(code);
  });
});

describe('an attestation inside an index that is taken whole', () => {
  const index = randomIndex('whole', { attestations: true });

  beforeEach(async () => {
    await site.publish(KIBANA, index);
    await site.writeSpec({ platforms: 'all' });
    await build();
  });

  test('and is refused is named; the index is there where the registry takes it so', async () => {
    enclave.misbehave({ ...PUTS, path: /manifests\/sha256:/ }, refusesContent(/in-toto/, 400, 'MANIFEST_INVALID'));
    const result = await load();
    expect(result.status).toBe(0);
    expect(tagOf(APP, '9.5.2')).toBe(index.root.digest);
    const { missing } = JSON.parse(result.stdout) as Loaded;
    expect(missing.map((one) => one.what)).toEqual(['attestation', 'attestation']);
  });

  test('fails the image where the index is refused without it', async () => {
    const refused = refusesContent(/in-toto|attestation-manifest/, 400, 'MANIFEST_INVALID');
    enclave.misbehave({ ...PUTS, path: /manifests\/sha256:/ }, refused);
    expect((await load()).status).toBe(1);
    expect(tagOf(APP, '9.5.2')).toBeUndefined();
  });
});

describe('the hint to run the same command again', () => {
  beforeEach(() => build());
  const failing = async (status: number) => {
    enclave.misbehave({ method: 'POST', path: /kibana\/blobs\/uploads/, ...ALWAYS }, answersError(status, 'UNKNOWN'));
    return errorOf(await load()).hint ?? '';
  };

  test.each([400, 404, 405, 413])('is not given where that cannot help: %s', async (status) => {
    expect(await failing(status)).not.toContain('same command again');
  });

  test.each([500, 503])('is given where it can: %s', async (status) => {
    expect(await failing(status)).toContain('same command again');
  });
});
