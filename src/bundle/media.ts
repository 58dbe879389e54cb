// README.txt beside a bundle on the media, for who types the commands: a pure function of the manifest and of what was
// written. The page for who must approve the transfer is transfer/page.ts.
import { fingerprintGroups } from '../signing/fingerprint.ts';
import { imagesOf } from './counted-images.ts';
import type { BundleManifest } from './manifest.ts';
import type { WrittenFile } from './writer.ts';

export interface MediaFacts {
  /** The bundle or its volumes. */
  readonly files: readonly WrittenFile[];
  readonly installers: readonly WrittenFile[];
  readonly fingerprint: string;
  readonly bundleDigest: string;
}

export function readmeText(manifest: BundleManifest, facts: MediaFacts): string {
  const volumes = facts.files.length;
  const first = facts.files[0]?.path ?? `${manifest.name}.tar`;
  const title = `${manifest.name}: ${imagesOf(manifest)} for a network with no way out`;
  return `${title}
${'='.repeat(title.length)}

Everything here is one signed bundle${volumes > 1 ? ` in ${volumes} volumes (${first} and on)` : ` (${first})`}. Inside, in this order:

1. Run nothing here yet. The trust card and airgap.pub came another way than
   this media: type the commands of the card. They copy the program into a
   folder of your own and check the copy. Then install that copy; nothing
   else here is a program.

${copyInstallers(facts.installers)}

2. Is every byte what was signed? (FOLDER is where this media is mounted.)

     eck-airgap verify FOLDER --key airgap.pub

3. What would be loaded, and where to?

     eck-airgap load FOLDER --key airgap.pub --registry HOST[:PORT][/PREFIX] --dry-run

4. Load it. It can be interrupted; the same command goes on.

     eck-airgap load FOLDER --key airgap.pub --registry HOST[:PORT][/PREFIX]

   Without a registry, serve the images straight from here:

     eck-airgap serve FOLDER --key airgap.pub --listen HOST:PORT --tls-cert FILE --tls-key FILE
${volumes > 1 ? `\nThe volumes need not be joined.${joining(manifest.name, volumes)}\n` : ''}
Bundle       ${facts.bundleDigest}
Signed by    ${fingerprintGroups(facts.fingerprint).slice(0, 8).join(' ')}
             ${fingerprintGroups(facts.fingerprint).slice(8).join(' ')}
`;
}

/** The first is what the commands below call `eck-airgap`. `$work` is the folder that the trust card makes. */
function copyInstallers(installers: readonly WrittenFile[]): string {
  const names = installers.map(({ path }) => path).filter((name) => !name.endsWith('.exe'));
  if (names.length === 0)
    return `     (This media holds no program for Linux. Use the eck-airgap that you have,
     or one that came with its own check: "eck-airgap --version" must run.)`;
  return names
    .map(
      (name, i) =>
        `${i > 0 ? `     or, for ${name.replace('eck-airgap-', '')}:\n` : ''}     install -m 755 "$work/${name}" /usr/local/bin/eck-airgap`,
    )
    .join('\n');
}

/** A shell sorts names, not numbers: from the thousandth volume on, `*` gives a wrong order. */
function joining(name: string, volumes: number): string {
  return volumes > 999 ? '' : ` "cat ${name}.tar.* > ${name}.tar" would join them.`;
}
