// A lock that was edited: it says of a signature what is not so.
import { expect, test } from 'vitest';
import { checkLockedSignatures } from '../../src/build/locked-signatures.ts';
import type { LockedImage, Verified } from '../../src/bundle/lock.ts';
import { digestOf } from '../../src/core/digest.ts';
import { memoryTarget } from '../../src/oci/memory.ts';
import { newKey } from '../support/cosign.ts';
import { lockFor } from '../support/locks.ts';
import { cosignSignature, randomImage, storeGraph } from '../support/random-image.ts';
import { rejected } from '../support/thrown.ts';

const NAME = 'docker.elastic.co/kibana/kibana:9.5.2';
const key = newKey();
const image = randomImage('kibana').root;
const signature = cosignSignature(image, key);
const signed: Verified = { by: 'cosign', key: key.publicKey.fingerprint };
const asked = { 'docker.elastic.co': { key: 'cosign.pub' } };
const chart = { name: 'eck-operator', version: '3.5.0', digest: digestOf(Buffer.of(1)), size: 1 };

/** Checks a lock with one image, a signed one unless it is changed. */
async function check(
  changes: Partial<LockedImage>,
  signatures: typeof asked | Record<string, 'none'> = asked,
): Promise<void> {
  const store = memoryTarget();
  await storeGraph(store, signature);
  const lock = lockFor({ images: [NAME] });
  const { mediaType, digest, size } = signature.root;
  const locked = { ...image, verified: signed, accompanying: [{ mediaType, digest, size }] };
  const images = lock.images.map((entry) => ({ ...entry, ...locked, ...changes }));
  const keys = new Map([['cosign.pub', key.publicKey]]);
  await checkLockedSignatures({ ...lock, images }, store, { signatures, keys });
}

const refused = async (...args: Parameters<typeof check>): Promise<string> => {
  const error = await rejected(check(...args));
  expect([error.code, error.message.startsWith(NAME)]).toEqual(['SIGNATURE_INVALID', true]);
  return error.message;
};

test('what is so is taken', async () => {
  await check({});
  await check({ verified: 'none' }, {});
  await check({ verified: 'none' }, { 'docker.elastic.co': 'none' });
});

test('a signature that was taken out of it', async () => {
  expect(await refused({ accompanying: [] })).toContain('none was found');
});

test('another image under the claim', async () => {
  expect(await refused({ ...randomImage('another').root })).toContain('does not verify');
});

test('a claim that no rule asks for, of another key, or withdrawn', async () => {
  expect(await refused({}, {})).toContain(`"cosign ${key.publicKey.fingerprint}", it is "none"`);
  expect(await refused({ verified: { by: 'cosign', key: newKey().publicKey.fingerprint } })).toContain(
    `it is "cosign ${key.publicKey.fingerprint}"`,
  );
  await refused({ verified: 'none' });
  await refused({ verified: { by: 'checksum', from: 'airgap.yaml' } });
});

test('a chart is vouched for by something else, and never by cosign', async () => {
  await check({ chart, verified: 'none', accompanying: [] });
  await check({ chart, verified: { by: 'checksum', from: 'https://charts.example/index.yaml' }, accompanying: [] });
  await refused({ chart });
});

test('where the image is taken from stands in the error', async () => {
  const from = 'registry.example/rebuilt/kibana:9.5.2';
  expect(await refused({ from, accompanying: [] })).toContain(`${NAME} from ${from}: no signature`);
});
