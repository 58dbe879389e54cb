// The texts beside a bundle on the media: README.txt for who types the commands, transfer.html for who must approve the
// transfer. Pure functions of the manifest, of the lock and of what was written.
import { plural } from '../core/plural.ts';
import { fingerprintGroups } from '../signing/fingerprint.ts';
import { imagesOf } from './counted-images.ts';
import { describeVerified, type LockedFile } from './lock.ts';
import type { BundleManifest } from './manifest.ts';
import type { WrittenFile } from './writer.ts';

export interface MediaFacts {
  /** The bundle or its volumes. */
  readonly files: readonly WrittenFile[];
  readonly installers: readonly WrittenFile[];
  readonly fingerprint: string;
  readonly bundleDigest: string;
  /** What vouched for each image and file upstream. */
  readonly lock: { readonly images: readonly Vouched[]; readonly files: readonly Vouched[] };
}

type Vouched = Pick<LockedFile, 'name' | 'verified'>;

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

/** Self-contained, without script; every value escaped. */
export function transferHtml(manifest: BundleManifest, facts: MediaFacts): string {
  const onMedia = [...facts.files, ...facts.installers];
  const total = onMedia.reduce((sum, file) => sum + file.size, 0);
  const images = manifest.images.map((image) => [
    image.name,
    image.digest,
    image.platforms.join(', '),
    `${image.accompanying.length}`,
    voucherOf(image.name, facts.lock.images),
  ]);
  const files = manifest.files.map((file) => [
    file.name,
    file.digest,
    `${file.size}`,
    voucherOf(file.name, facts.lock.files),
  ]);
  const media = onMedia.map((file) => [file.path, `sha256:${file.sha256}`, `${file.size}`]);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Transfer: ${escapeHtml(manifest.name)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1a1c21; }
table { border-collapse: collapse; width: 100%; margin-bottom: 2em; }
th, td { border-bottom: 1px solid #d3dae6; padding: .35em .6em; text-align: left; vertical-align: top; }
td { font-family: ui-monospace, monospace; font-size: 12px; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } }
</style>
</head>
<body>
<h1>What crosses the gap: ${escapeHtml(manifest.name)}</h1>
<p>${imagesOf(manifest)}, ${manifest.files.length} files, ${total} bytes in ${plural(onMedia.length, 'file')} on the media.
Every byte of the bundle is covered by one signature, and so are the digests of the installers.</p>
${table(
  'Identity',
  ['', ''],
  [
    ['bundle', facts.bundleDigest],
    ['lock', manifest.lock],
    ['signed by (SHA-256 of the public key)', facts.fingerprint],
  ],
)}
${table('On the media', ['file', 'digest', 'bytes'], media)}
${table('Images', ['image', 'digest', 'platforms', 'signatures and attestations carried', 'checked against'], images)}
${table('Files', ['file', 'digest', 'bytes', 'checked against'], files)}
</body>
</html>
`;
}

/** What is not in the lock is the bundle's own: the lock itself, for example. */
function voucherOf(wanted: string, locked: readonly Vouched[]): string {
  const found = locked.find(({ name }) => name === wanted);
  return found === undefined ? 'made by the build' : describeVerified(found.verified);
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<h2>${escapeHtml(caption)}</h2>
<table>
${line(head, 'th')}
${rows.map((row) => line(row, 'td')).join('\n')}
</table>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
