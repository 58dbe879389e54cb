// A process that puts its part of the mutations before the command line, and tells of each, and of its peak memory at the end.
// Arguments: one JSON document, a `Part`.
import { createPrivateKey } from 'node:crypto';
import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { peakOfTree } from '../interop/measure.ts';
import { attempt, attemptInProcess, KEY, type Outcome } from './attempt.ts';
import { mutation } from './mutation.ts';
import { subjectOf, type Subject } from './subject.ts';

export interface Part {
  /** Holds site.tar, other.tar, airgap.pub, forger.key. */
  readonly subject: string;
  /** A folder of this process's own. */
  readonly tree: string;
  /** Where the trees of attempts that went wrong are kept. */
  readonly kept: string;
  readonly program: string;
  readonly seed: number;
  /** Cases `from`, `from + step`, … before `to`. */
  readonly from: number;
  readonly step: number;
  readonly to: number;
  /** Every so manieth case goes through the program in a process of its own, too. */
  readonly sample: number;
}

export type Message =
  | { readonly type: 'outcome'; readonly outcome: Outcome; readonly inProcess: boolean }
  | { readonly type: 'peak'; readonly mebibytes: number };

async function main(part: Part): Promise<void> {
  const subject = await readSubject(part.subject);
  await mkdir(part.tree, { recursive: true });
  await cp(join(part.subject, KEY), join(part.tree, KEY));
  for (let number = part.from; number < part.to; number += part.step) {
    const changed = mutation(subject, part.seed, number);
    await tell(part, await attempt(changed, part.tree), false);
    if (number % part.sample === 0) await tell(part, await attemptInProcess(changed, part.tree, part.program), true);
  }
  await send({ type: 'peak', mebibytes: await peakOfTree(process.pid) });
}

async function readSubject(folder: string): Promise<Subject> {
  const [bundle, other, forger] = await Promise.all(
    ['site.tar', 'other.tar', 'forger.key'].map((name) => readFile(join(folder, name))),
  );
  if (!bundle || !other || !forger) throw new Error(`there is no subject in ${folder}`);
  return subjectOf(bundle, other, createPrivateKey(forger));
}

async function tell({ tree, kept }: Part, outcome: Outcome, inProcess: boolean): Promise<void> {
  if (outcome.faults.length > 0) await cp(tree, join(kept, `case-${outcome.number}`), { recursive: true });
  await send({ type: 'outcome', outcome, inProcess });
}

function send(message: Message): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!process.send) throw new Error('this is started by scripts/chaos/mutations.ts');
    process.send(message, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}

await main(JSON.parse(process.argv[2] ?? '') as Part);
process.disconnect();
