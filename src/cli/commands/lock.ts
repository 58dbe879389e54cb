import type { CommandModule } from '../command.ts';
import { formatBytes, plural, table } from '../format.ts';
import { readSpec, withSpecFlags, withWorkspace, writeLock } from '../spec-files.ts';

export const lockCommand: CommandModule = {
  name: 'lock',
  summary: 'Pin every tag of airgap.yaml to a digest, in airgap.lock.yaml beside it.',
  define: (command) => withSpecFlags(command).addHelpText('after', '\nExample:\n  eck-airgap lock airgap.yaml\n'),
  run: async (context) => {
    const files = await readSpec(context);
    const lock = await withWorkspace(context, files.spec, (workspace) => writeLock(context, files, workspace));
    context.output.result({ lock: files.lockPath, images: lock.images, files: lock.files }, [
      ...table(
        lock.images.map((image) => [image.name, image.digest, image.platforms.join(','), formatBytes(image.totalSize)]),
      ),
      `${files.lockPath}: ${plural(lock.images.length, 'image')}, ${plural(lock.files.length, 'file')}. Review it and commit it.`,
    ]);
  },
};
