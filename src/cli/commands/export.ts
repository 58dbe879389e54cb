import { exportFile } from '../../install/export.ts';
import { openBundle } from '../../bundle/reader.ts';
import type { CommandModule } from '../command.ts';
import { pathOf, stringFlag, trustedKeys, withKeyFlag } from '../flags.ts';
import { formatBytes } from '../format.ts';

export const exportCommand: CommandModule = {
  name: 'export',
  summary: 'Take one file out of a bundle, verified.',
  define: (command) =>
    withKeyFlag(
      command
        .argument('<bundle>', 'the tar, its first volume, or the media folder')
        .argument('<name>', 'a file that "inspect" lists'),
    )
      .requiredOption('--out <file>', 'where to write it')
      .addHelpText(
        'after',
        '\nExample:\n  eck-airgap export /media/usb airgap.lock.yaml --key airgap.pub --out airgap.lock.yaml\n',
      ),
  run: async (context) => {
    const [path = '', name = ''] = context.args;
    const activity = { signal: context.io.signal, report: context.output.report };
    const keys = await trustedKeys(context, path);
    const bundle = await openBundle(pathOf(context, path), { keys, hashing: context.hashing, ...activity });
    try {
      const out = pathOf(context, stringFlag(context, 'out') ?? name);
      const file = await exportFile(bundle, name, { out, ...activity });
      context.output.result({ out, ...file }, [`${out}  ${formatBytes(file.size)}  ${file.digest}`]);
    } finally {
      await bundle.close();
    }
  },
};
