import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openBundle, type Bundle } from '../../bundle/reader.ts';
import { AirgapError } from '../../core/errors.ts';
import { ensureFolder } from '../../core/files.ts';
import { plural } from '../../core/plural.ts';
import { exportedBytes, exportFile } from '../../install/export.ts';
import { exportables, requireExportable, type Exportable } from '../../install/exportable.ts';
import type { CommandContext, CommandModule } from '../command.ts';
import { pathOf, stringFlag, trustedKeys, withKeyFlag } from '../flags.ts';
import { formatBytes } from '../format.ts';
import { table } from '../table.ts';

const STDOUT = '-';

export const exportCommand: CommandModule = {
  name: 'export',
  summary: 'Take files and charts out of a bundle, verified; without a name, list them.',
  define: (command) =>
    withKeyFlag(
      command
        .argument('<bundle>', 'the tar, its first volume, or the media folder')
        .argument('[names...]', 'files, or charts as NAME, NAME:VERSION or NAME-VERSION.tgz'),
    )
      .option('--out <path>', 'file to write, or folder (DIR/, made where it is not there), or - for stdout', './')
      .addHelpText(
        'after',
        '\nExamples:\n  eck-airgap export /media/usb --key airgap.pub\n  eck-airgap export /media/usb airgap.lock.yaml eck-operator --key airgap.pub --out taken/\n  eck-airgap export /media/usb airgap.lock.yaml --key airgap.pub --out - | less\n',
      ),
  run: async (context) => {
    const [path = '', ...names] = context.args;
    const activity = { signal: context.io.signal, report: context.output.report };
    const keys = await trustedKeys(context, path);
    const bundle = await openBundle(pathOf(context, path), { keys, hashing: context.hashing, ...activity });
    try {
      const all = await exportables(bundle, activity);
      const wanted = [...new Set(names.map((name) => requireExportable(all, name)))];
      if (wanted.length === 0) list(context, all);
      else if (stringFlag(context, 'out') === STDOUT) await toStdout(context, bundle, wanted);
      else await toFiles(context, bundle, wanted);
    } finally {
      await bundle.close();
    }
  },
};

function list({ output }: CommandContext, all: readonly Exportable[]): void {
  const columns = [{ heading: 'FILE', shorten: 'end' }, { heading: 'SIZE' }, { heading: 'DIGEST' }] as const;
  const rows = all.map(({ name, size, digest }) => [name, formatBytes(size), digest]);
  output.result({ kind: 'ExportList', files: all.map(factsOf) }, [
    ...table(columns, rows, output.layout),
    `${plural(all.length, 'file')}: name those to take out`,
  ]);
}

async function toFiles(context: CommandContext, bundle: Bundle, wanted: readonly Exportable[]): Promise<void> {
  const { output, io } = context;
  const typed = stringFlag(context, 'out') ?? './';
  const place = pathOf(context, typed);
  const isFolder = wanted.length > 1 || /[/\\]$/.test(typed) || (await isThereAsFolder(place));
  if (isFolder) await ensureFolder(place);
  const files = [];
  for (const file of wanted) {
    const path = isFolder ? join(place, file.name) : place;
    await exportFile(bundle, file, { out: path, signal: io.signal, report: output.report });
    files.push({ ...factsOf(file), path });
  }
  const lines = files.map(({ path, size, digest }) => `${path}  ${formatBytes(size)}  ${digest}`);
  output.result({ kind: 'ExportResult', files }, lines);
}

/** @throws USAGE where what is on stdout could not be told apart */
async function toStdout(context: CommandContext, bundle: Bundle, wanted: readonly Exportable[]): Promise<void> {
  const { output, io, flags } = context;
  const [file] = wanted;
  if (wanted.length !== 1 || file === undefined)
    throw new AirgapError('USAGE', '--out - takes one name', { hint: 'Name a folder with --out DIR/ for several.' });
  if (flags['json'] === true) throw new AirgapError('USAGE', '--out - and --json both write to stdout');
  await output.bytes(exportedBytes(bundle, file, { signal: io.signal }));
}

function factsOf({ name, digest, size }: Exportable): Pick<Exportable, 'name' | 'digest' | 'size'> {
  return { name, digest, size };
}

async function isThereAsFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
