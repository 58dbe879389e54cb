import { plural } from '../../core/plural.ts';
import { differenceOf } from '../../bundle/difference.ts';
import type { CommandModule } from '../command.ts';
import { readContents } from '../contents.ts';
import { differenceLines, differencesOf } from '../difference.ts';
import { withKeyFlag } from '../flags.ts';

export const diffCommand: CommandModule = {
  name: 'diff',
  summary: 'Say what one lock or bundle holds that another does not, and how many bytes there are to carry.',
  define: (command) =>
    withKeyFlag(
      command
        .argument('<old>', 'a lock, or a bundle: the tar, its first volume, or the media folder')
        .argument('<new>', 'the same; a lock and a bundle can be compared, too'),
    )
      .option(
        '--cache <dir>',
        'where `lock` left manifests; without those of a lock bytes are an upper bound (default: $XDG_CACHE_HOME/eck-airgap)',
      )
      .addHelpText(
        'after',
        '\nExamples:\n  eck-airgap diff /media/last/site-alpha.tar /media/usb --key airgap.pub\n  eck-airgap diff <(git show HEAD:airgap.lock.yaml) airgap.lock.yaml\n',
      ),
  run: async (context) => {
    const [oldPath = '', newPath = ''] = context.args;
    const old = await readContents(context, oldPath);
    const now = await readContents(context, newPath);
    const difference = differenceOf(old.contents, now.contents);
    const { images, files } = now.contents;
    context.output.result(
      { kind: 'DiffResult', old: old.compared, new: now.compared, ...differencesOf(difference) },
      differenceLines(
        difference,
        `the same content: ${plural(images.size, 'image or chart', 'images and charts')}, ${plural(files.size, 'file')}`,
        context.output.layout,
      ),
    );
  },
};
