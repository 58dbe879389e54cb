// The reader in Python that was written from docs/bundle-format.md, and ours, before the same bundles: where one refuses what the
// other takes, or for another reason than the page says, one of them or the page is wrong.
import { spawn } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { openBundle } from '../../src/bundle/reader.ts';
import { verifyBundle } from '../../src/bundle/verify.ts';
import { isAirgapError } from '../../src/core/errors.ts';
import { parsePublicKey, type PublicKey } from '../../src/signing/public-key.ts';
import type { Section } from '../bench/report.ts';
import { DIFFERENCE_KINDS, differenceCase, differenceSubject, type DifferenceCase } from './difference-case.ts';
import type { SigningKeys } from './slot-changes.ts';

export interface DifferenceOptions {
  /** To work in; the bundles of cases that differ are kept in it. */
  readonly folder: string;
  readonly seed: number;
  readonly count: number;
  /** One case alone, by its number. */
  readonly only?: number | undefined;
  readonly say: (line: string) => void;
}

export interface Verdict {
  /** Exit status; 0 when it is accepted. */
  readonly status: number;
  readonly reason: string;
}

interface Judged {
  readonly kind: string;
  readonly ours: Verdict;
  readonly theirs: Verdict;
}

const SECOND_READER = new URL('./second_reader.py', import.meta.url).pathname;
const EXAMPLES = new URL('../../docs/examples', import.meta.url).pathname;
/** Every so manieth case has a body of more than one chunk. */
const LARGE = 250;
const LARGE_SIZE = 4 * 1024 * 1024 + 5;

/** Says of each case that differs how to see it again. */
export async function tryDifferences(options: DifferenceOptions): Promise<Section[]> {
  const { folder, seed, only, say } = options;
  const keys = generateKeys();
  const trusted = await writeKeys(folder, keys);
  const [small, large] = [differenceSubject(), differenceSubject(LARGE_SIZE)];
  const second = secondReader();
  const judged: Judged[] = [];
  const [from, to] = only === undefined ? [0, options.count] : [only, only + 1];
  for (let number = from; number < to; number++) {
    const subject = number % LARGE === 0 ? large : small;
    const changed = differenceCase({ subject, keys }, seed, number);
    const tree = join(folder, 'case');
    await lay(changed, tree);
    const path = join(tree, changed.open);
    const names = changed.trusted.map((name) => join(folder, `${name}.pub`));
    const [ours, theirs] = await Promise.all([
      judge(
        path,
        changed.trusted.map((name) => trusted[name]),
      ),
      second.judge(path, names),
    ]);
    judged.push({ kind: changed.kind, ours, theirs });
    const differs = ours.status !== theirs.status;
    if (differs || only !== undefined) say(describe(changed, { ours, theirs, seed }));
    if (differs) await lay(changed, join(folder, 'kept', `difference-${number}`));
    if (judged.length % 1000 === 0) say(`${judged.length} cases before both readers`);
  }
  await second.end();
  return [section(judged, only === undefined ? options.count : 1)];
}

/** Our verdict, as an exit status. */
export async function judge(path: string, keys: readonly PublicKey[]): Promise<Verdict> {
  try {
    const bundle = await openBundle(path, { keys });
    await verifyBundle(bundle).finally(() => bundle.close());
    return { status: 0, reason: 'accepted' };
  } catch (error) {
    if (!isAirgapError(error)) throw error;
    return { status: error.code === 'INTERNAL' ? 98 : error.exitStatus, reason: `${error.code} ${error.message}` };
  }
}

/** One long-living process, fed line by line. */
export function secondReader(): {
  judge(path: string, keys: readonly string[]): Promise<Verdict>;
  end(): Promise<void>;
} {
  const child = spawn('python3', [SECOND_READER, EXAMPLES], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    judge: async (path, keys) => {
      child.stdin.write(`${[path, ...keys].join('\t')}\n`);
      const { value, done } = (await lines.next()) as { value: string | undefined; done?: boolean };
      if (done === true || value === undefined) throw new Error('the reader in Python ended');
      const [status, reason = ''] = value.split('\t');
      return { status: Number(status), reason };
    },
    end: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

export function generateKeys(): SigningKeys {
  const ecdsa = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  return {
    ecdsa: ecdsa(),
    forger: ecdsa(),
    ed25519: generateKeyPairSync('ed25519').privateKey,
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  };
}

/** The public ones, as files `NAME.pub`. */
export async function writeKeys(folder: string, keys: SigningKeys): Promise<Record<keyof SigningKeys, PublicKey>> {
  await mkdir(folder, { recursive: true });
  const written: Partial<Record<keyof SigningKeys, PublicKey>> = {};
  for (const name of ['ecdsa', 'forger', 'ed25519', 'rsa'] as const) {
    const pem = publicPem(keys[name]);
    await writeFile(join(folder, `${name}.pub`), pem);
    written[name] = parsePublicKey(pem, name);
  }
  return written as Record<keyof SigningKeys, PublicKey>;
}

export async function lay({ files }: Pick<DifferenceCase, 'files'>, tree: string): Promise<void> {
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  for (const [path, bytes] of files) {
    const at = join(tree, path);
    await mkdir(bytes === undefined ? at : dirname(at), { recursive: true });
    if (bytes !== undefined) await writeFile(at, bytes);
  }
}

function describe(
  { number, kind, what, open }: DifferenceCase,
  { ours, theirs, seed }: { ours: Verdict; theirs: Verdict; seed: number },
): string {
  return [
    `case ${number}: ${kind}: ${what}, opened by "${open}"`,
    `  here: ${ours.status} ${ours.reason}`,
    `  read_bundle.py: ${theirs.status} ${theirs.reason}`,
    `  again: npm run test:chaos -- --seed ${seed} --only-difference ${number}`,
  ].join('\n');
}

function section(judged: readonly Judged[], of: number): Section {
  const row = (name: string, own: readonly Judged[]): string[] => [
    name,
    ...[0, 2, 3, 4].map((status) => `${own.filter(({ ours }) => ours.status === status).length}`),
  ];
  const agreed = judged.filter(({ ours, theirs }) => ours.status === theirs.status).length;
  return {
    title: 'Two readers',
    text: 'Our reader and docs/examples/read_bundle.py, which was written from docs/bundle-format.md, judge the same bundles; most are changed and then signed again, so that nothing but the one change can be the reason. They agree where both end with the same exit status.',
    head: ['what was changed', 'accepted', 'exit 2', 'exit 3', 'exit 4', 'agreed'],
    rows: [
      ...DIFFERENCE_KINDS.map((kind) => [
        ...row(
          kind,
          judged.filter((one) => one.kind === kind),
        ),
        '',
      ]),
      [...row('all', judged), { value: agreed, limit: of, exactly: true, unit: '' }],
    ],
  };
}

function publicPem(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }) as string;
}
