// An entry of more than 8 GiB, whose size a tar header can only say in base-256: proven with a sparse file that has the
// geometry of a real bundle.
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { geometryOf } from '../../src/bundle/geometry.ts';
import { indexJson, OCI_LAYOUT_BYTES } from '../../src/bundle/index-json.ts';
import { encodeBundleManifest, type BundleManifest } from '../../src/bundle/manifest.ts';
import { blobPath } from '../../src/bundle/manifest-rules.ts';
import { openBundle } from '../../src/bundle/reader.ts';
import { encodeSlot } from '../../src/bundle/slots.ts';
import { CHUNK_SIZE, chunkCount, chunkHashes } from '../../src/core/chunks.ts';
import { Digester, digestOf } from '../../src/core/digest.ts';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { signerOf } from '../support/signer.ts';
import { haveTools } from '../support/tools.ts';

const SIZE = 8 * 1024 ** 3 + CHUNK_SIZE + 5;
const keys = generateKeyPair();
let folder: string;
let path: string;
let blob: { digest: BundleManifest['lock']; size: number };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eck-airgap-large-'));
  path = join(folder, 'large.tar');
  const zeros = Buffer.alloc(CHUNK_SIZE);
  const digester = new Digester();
  for (let left = SIZE; left > 0; left -= CHUNK_SIZE)
    digester.update(left < CHUNK_SIZE ? zeros.subarray(0, left) : zeros);
  blob = { digest: digester.digest(), size: SIZE };
  await writeSparse(zeros);
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Everything but the blob's zeros is written where the geometry says. */
async function writeSparse(zeros: Buffer): Promise<void> {
  const small = [OCI_LAYOUT_BYTES, indexJson([])];
  const full = chunkHashes(zeros);
  const last = chunkHashes(zeros.subarray(0, SIZE % CHUNK_SIZE));
  const table = Buffer.concat([
    ...small.map(chunkHashes),
    ...Array.from({ length: chunkCount(SIZE) - 1 }, () => full),
    last,
  ]);
  const bodies = new Map([
    ['chunks', table],
    ['oci-layout', OCI_LAYOUT_BYTES],
    ['index.json', indexJson([])],
  ]);
  const manifest: BundleManifest = {
    apiVersion: 'eck-airgap/v1',
    kind: 'BundleManifest',
    name: 'large',
    lock: blob.digest,
    signatureSlots: 1,
    entries: [
      ...[...bodies].map(([name, bytes]) => ({ path: name, size: bytes.byteLength, digest: digestOf(bytes) })),
      { path: blobPath(blob.digest), ...blob },
    ],
    images: [],
    files: [{ name: 'airgap.lock.yaml', mediaType: 'application/octet-stream', ...blob }],
    installers: [],
    sequence: 0,
  };
  const bytes = encodeBundleManifest(manifest);
  bodies.set('bundle.json', bytes);
  bodies.set('bundle.json.sig', encodeSlot(await signerOf(keys.privatePem).sign(bytes)));
  const geometry = geometryOf(bytes.byteLength, manifest);
  const file = await open(path, 'w');
  for (const gap of geometry.gaps) await file.write(gap.bytes, 0, gap.bytes.byteLength, gap.offset);
  for (const frame of geometry.frames) {
    const body = bodies.get(frame.path);
    if (body) await file.write(body, 0, body.byteLength, frame.offset);
  }
  await file.close();
}

describe('an entry over 8 GiB', () => {
  test('is read in place, at its beginning, beyond 8 GiB and at its end', async () => {
    const bundle = await openBundle(path, { keys: [keys.publicKey] });
    const descriptor = { mediaType: 'application/octet-stream', ...blob };
    for (const start of [0, 8 * 1024 ** 3 + 1, SIZE - 3]) {
      const stream = bundle.fetch(descriptor, { start })[Symbol.asyncIterator]();
      const { value } = (await stream.next()) as { value: Uint8Array };
      expect(value.byteLength).toBe(Math.min(CHUNK_SIZE - (start % CHUNK_SIZE), SIZE - start));
      expect(value.every((byte) => byte === 0)).toBe(true);
      await stream.return?.();
    }
    await bundle.close();
  });

  test('is refused when a bit of it differs', async () => {
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const at = size - 1024 - 512 * 3;
    await file.write(Buffer.from([1]), 0, 1, at);
    const bundle = await openBundle(path, { keys: [keys.publicKey] });
    const read = async (): Promise<void> => {
      for await (const chunk of bundle.fetch({ mediaType: '', ...blob }, { start: SIZE - 100 }))
        expect(chunk.byteLength).toBeGreaterThan(0);
    };
    await expect(read()).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' });
    await bundle.close();
    await file.write(Buffer.from([0]), 0, 1, at);
    await file.close();
  });

  test.skipIf(!haveTools('headers over 8 GiB as other programs read them', 'tar', 'python3'))(
    'has a header that GNU tar and Python read',
    () => {
      const listed = execFileSync('tar', ['-tvf', path]).toString();
      expect(listed).toContain(`${SIZE}`);
      expect(listed).toContain(blobPath(blob.digest));
      const python = 'import sys, tarfile; print([m.size for m in tarfile.open(sys.argv[1])][-1])';
      expect(execFileSync('python3', ['-c', python, path]).toString().trim()).toBe(String(SIZE));
    },
  );
});
