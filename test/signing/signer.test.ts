import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKeyPair } from '../../src/signing/private-key.ts';
import { verifySignature } from '../../src/signing/signature.ts';
import { commandSigner } from '../../src/signing/signer.ts';
import { rejected } from '../support/thrown.ts';
import { haveTools } from '../support/tools.ts';

const pair = generateKeyPair();
const own = { env: process.env };
const MESSAGE = Buffer.from('bytes to sign; $(touch /tmp/never) `x` "quotes"');
const withTools = test.skipIf(!haveTools('external signers', 'openssl', 'sh', 'base64'));
let folder: string;
let keyFile: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'eck-airgap-signer-'));
  keyFile = join(folder, 'key.pem');
  writeFileSync(keyFile, pair.privatePem);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

withTools('an external signer gets the bytes on stdin and may answer the raw signature', async () => {
  const signer = commandSigner(['openssl', 'dgst', '-sha256', '-sign', keyFile], pair.publicKey, own);
  expect(verifySignature(pair.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
});

withTools('or base64 in lines', async () => {
  const signer = commandSigner(
    ['sh', '-c', `openssl dgst -sha256 -sign '${keyFile}' | base64 -w 40`],
    pair.publicKey,
    own,
  );
  expect(verifySignature(pair.publicKey, MESSAGE, await signer.sign(MESSAGE))).toBe(true);
});

withTools('arguments reach it as they are: no shell', async () => {
  const signer = commandSigner(['printf', '%s', '$(id)', ';', 'id'], pair.publicKey, own);
  expect((await rejected(signer.sign(MESSAGE))).code).toBe('SIGNER_FAILED');
});

withTools.each([
  ['a program that is not there', ['/no/such/signer']],
  ['one that fails', ['sh', '-c', 'echo no card >&2; exit 7']],
  ['one that answers nothing', ['true']],
  ['one that answers something else', ['echo', 'AAAA']],
  ['one that answers without end', ['sh', '-c', 'yes | head -c 10000000']],
])('%s is SIGNER_FAILED', async (_case, argv) => {
  const error = await rejected(commandSigner(argv, pair.publicKey, own).sign(MESSAGE));
  expect(error.code).toBe('SIGNER_FAILED');
});

withTools('what a failing signer says is shown', async () => {
  const error = await rejected(
    commandSigner(['sh', '-c', 'echo no card in slot 0 >&2; exit 7'], pair.publicKey, own).sign(MESSAGE),
  );
  expect(error.message).toContain('no card in slot 0');
});

withTools('a signature by another key is refused before it is used', async () => {
  const signer = commandSigner(['openssl', 'dgst', '-sha256', '-sign', keyFile], generateKeyPair().publicKey, own);
  expect((await rejected(signer.sign(MESSAGE))).code).toBe('SIGNER_FAILED');
});

withTools('the passphrase of our own key does not reach a signer', async () => {
  const env = { ...process.env, ECK_AIRGAP_PASSPHRASE: 'hunter2', Eck_Airgap_New_Passphrase: 'hunter2', KEPT: 'kept' };
  const seen = join(folder, 'seen');
  const script = `env > '${seen}'; openssl dgst -sha256 -sign '${keyFile}'`;
  await commandSigner(['sh', '-c', script], pair.publicKey, { env }).sign(MESSAGE);
  const environment = readFileSync(seen, 'utf8');
  expect(environment).toContain('KEPT=kept');
  expect(environment).not.toContain('hunter2');
});
