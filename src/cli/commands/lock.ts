import { sizesOf, type BundleSizes } from '../../build/build-plan.ts';
import { readLocked } from '../../build/fetch.ts';
import { checkLock, type LockCheck } from '../../build/check-lock.ts';
import type { Lock, Verified } from '../../bundle/lock.ts';
import { AirgapError, isAirgapError } from '../../core/errors.ts';
import { plural } from '../../core/plural.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { byKind } from '../bundle-facts.ts';
import { sizesLine } from '../build-plan.ts';
import { cacheFolder } from '../folders.ts';
import { countsLine, differenceLines, differencesOf } from '../difference.ts';
import { sequenceNumber } from '../flags.ts';
import { formatBytes } from '../format.ts';
import {
  lockOptions,
  readLock,
  readSpec,
  withSpecFlags,
  withWorkspace,
  writeLock,
  type SpecFiles,
  type Workspace,
} from '../spec-files.ts';
import { table, type Column, type Layout } from '../table.ts';

export const lockCommand: CommandModule = {
  name: 'lock',
  listsWhatIsDone: true,
  summary: 'Pin every tag of airgap.yaml to a digest, in airgap.lock.yaml beside it.',
  define: (command) =>
    withSpecFlags(command)
      .option(
        '--sequence <n>',
        'number of the lock and of the bundles built from it (default: one more than the lock that is there, when anything changed; at least SOURCE_DATE_EPOCH)',
        sequenceNumber,
      )
      .option('--check', 'write nothing: say what upstream has changed since the lock was made, and fail if anything')
      .addHelpText('after', '\nExamples:\n  eck-airgap lock airgap.yaml\n  eck-airgap lock airgap.yaml --check\n'),
  run: async (context) => {
    const files = await readSpec(context);
    if (context.flags['check'] === true) return check(context, files);
    const { lock, sizes } = await withWorkspace(context, files.spec, async (workspace) => {
      const lock = await writeLock(context, files, workspace);
      return { lock, sizes: await sizesFor(context, lock, { ...files, ...workspace }) };
    });
    const { missing } = context.output;
    const facts = { lock: files.lockPath, sequence: lock.sequence, ...byKind(lock.images), files: lock.files, missing };
    context.output.result({ kind: 'LockResult', ...facts, ...(sizes && sizeFacts(sizes)) }, [
      ...lockTable(lock, context.output.layout),
      ...(sizes ? [sizesLine(sizes)] : []),
      `${files.lockPath}: ${counted(lock)}. Review it and commit it.`,
    ]);
  },
};

type SizedFiles = SpecFiles & Workspace;

/** Every manifest is in the cache, from making the lock. Undefined where one is not any more: the lock is made all the same. */
async function sizesFor(context: CommandContext, lock: Lock, files: SizedFiles): Promise<BundleSizes | undefined> {
  const { io, output } = context;
  try {
    const { wanted } = await readLocked(lock, { ...files, signal: io.signal });
    const sizes = await sizesOf(wanted, { cache: files.cache, cacheFolder: cacheFolder(context), space: io.space });
    const { toFetch, cache } = sizes;
    if (toFetch.bytes > (cache.free ?? Infinity))
      output.warn(
        `${cache.path}: ${formatBytes(toFetch.bytes)} are to be fetched, and ${formatBytes(cache.free ?? 0)} are free`,
      );
    return sizes;
  } catch (error) {
    if (isAirgapError(error)) return undefined;
    throw error;
  }
}
function sizeFacts({ bundleSize, ...sizes }: BundleSizes): object {
  return { bytes: bundleSize, ...sizes };
}

const COLUMNS: readonly Column[] = [
  { heading: 'NAME', shorten: 'start' },
  { heading: 'SIZE' },
  { heading: 'VERIFIED BY' },
  { heading: 'PLATFORMS', shorten: 'end' },
  { heading: 'DIGEST' },
];

/** Images, charts, then files, each with what vouched for it. */
function lockTable({ images, files }: Lock, layout: Layout): string[] {
  const vouched = (verified: Verified): string => (verified === 'none' ? 'none' : verified.by);
  const rows = [
    ...[...images.filter(({ chart }) => !chart), ...images.filter(({ chart }) => chart)].map((image) => [
      image.name,
      formatBytes(image.totalSize),
      vouched(image.verified),
      image.platforms.join(',') || '-',
      image.digest,
    ]),
    ...files.map((file) => [file.name, formatBytes(file.size), vouched(file.verified), '-', file.digest]),
  ];
  return table(COLUMNS, rows, layout);
}

function counted({ images, files }: Lock): string {
  const charts = images.filter(({ chart }) => chart).length;
  return [
    plural(images.length - charts, 'image'),
    ...(charts > 0 ? [plural(charts, 'chart')] : []),
    plural(files.length, 'file'),
  ].join(', ');
}

/** The tables come before the error that says that something changed; --json has one document either way. @throws UPSTREAM_CHANGED */
async function check(context: CommandContext, files: SpecFiles): Promise<void> {
  const lock = await readLock(context, files);
  if (lock === undefined)
    throw new AirgapError('FILE_NOT_FOUND', `there is no ${files.lockPath} to check`, {
      hint: `Make it with "eck-airgap lock ${files.specPath}".`,
    });
  const found = await withWorkspace(context, files.spec, (workspace) =>
    checkLock(files.spec, lock, lockOptions(context, files, workspace)),
  );
  if (context.flags['json'] === true) requireUnchanged(found, files);
  const same = `nothing has changed since ${files.lockPath} was made`;
  context.output.result({ kind: 'LockCheck', lock: files.lockPath, ...differencesOf(found), gone: found.gone }, [
    ...differenceLines(found, same, context.output.layout),
    ...found.gone.map(({ message }) => `gone: ${message}`),
  ]);
  requireUnchanged(found, files);
}

function requireUnchanged(found: LockCheck, files: SpecFiles): void {
  if (found.same) return;
  throw new AirgapError('UPSTREAM_CHANGED', `since ${files.lockPath} was made: ${countsLine(found)}`, {
    hint: `Review what changed, then pin it with "eck-airgap lock ${files.specPath}".`,
    details: { lock: files.lockPath, ...differencesOf(found), gone: found.gone },
  });
}
