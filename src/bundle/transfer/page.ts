// transfer.html: what crosses the gap, for the person who must approve it and sign. One file without scripts that loads
// nothing. A pure function of the bundle, its lock and what was given to `build`: no clock is in it.
import { createHash } from 'node:crypto';
import { formatBytes, groupedNumber } from '../../core/byte-count.ts';
import { plural } from '../../core/plural.ts';
import { fingerprintGroups } from '../../signing/fingerprint.ts';
import { describeUse, type Lock, type LockedFile, type LockedImage, type Use, type Verified } from '../lock.ts';
import type { BundleManifest } from '../manifest.ts';
import type { MediaFacts } from '../media.ts';
import { changesSection, type Since } from './changes.ts';
import { html, Html, table, type Part } from './html.ts';
import { STYLE } from './style.ts';
import { vouchedBy } from './vouched.ts';

/** What the page says of the transfer itself. What is not given is a line to be filled in by hand. */
export interface Handover {
  /** The system that it is for. */
  readonly system?: string | undefined;
  readonly requestedBy?: string | undefined;
  readonly approvedBy?: string | undefined;
  /** Of the signature: YYYY-MM-DD. */
  readonly date?: string | undefined;
}

/** Bytes of what is carried for an image. */
export interface ImageSize {
  /** Of what no other image has. */
  readonly own: number;
  /** Of what other images have too. */
  readonly shared: number;
}

export interface ImageSizes {
  /** By name. */
  readonly images: ReadonlyMap<string, ImageSize>;
  /** Of all images together, what is shared counted once. */
  readonly total: number;
}

export interface TransferFacts extends MediaFacts {
  readonly lock: Pick<Lock, 'images' | 'files' | 'selection' | 'platforms'>;
  readonly sizes: ImageSizes;
  readonly handover: Handover;
  readonly since?: Since | undefined;
  /** Of this program. */
  readonly version: string;
}

export function transferHtml(manifest: BundleManifest, facts: TransferFacts): string {
  const title = `Transfer of ${manifest.name}`;
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      ${new Html(`<meta http-equiv="Content-Security-Policy" content="${POLICY}">`)}
      <title>${title}</title>
      ${new Html(`<style>${STYLE}</style>`)}
    </head>
    <body>
      <header>
        <p>Transfer record</p>
        <h1>${title}</h1>
        <p>What is carried across the gap, why, and what vouches for it.</p>
      </header>
      <main>${body(manifest, facts)}</main>
      <footer>
        Made by eck-airgap ${facts.version}, without a clock: the same lock and options make the same page, byte for
        byte.
      </footer>
    </body>
  </html> `;
  return `<!doctype html>\n${page.markup}`;
}

/** The one style sheet, by its digest, and nothing else. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

function body(manifest: BundleManifest, facts: TransferFacts): Html[] {
  const { lock } = facts;
  return [
    overview(manifest, facts),
    verdict(lock),
    section('What has changed', changesSection(facts.since)),
    section(
      'Images',
      imagesTable(
        lock.images.filter(({ artifact }) => artifact !== true),
        facts.sizes,
      ),
    ),
    chartsSection(lock.images.filter(({ artifact }) => artifact === true)),
    section('Files', filesTable(manifest, lock.files)),
    section('On the media', mediaTable(facts)),
    section('How to check this page', checks(facts)),
    signatures(facts.handover),
  ];
}

function section(title: string, content: Html): Html {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

function overview(manifest: BundleManifest, { handover, lock, version, ...facts }: TransferFacts): Html {
  const { selection, platforms } = lock;
  const size = [...facts.files, ...facts.installers].reduce((sum, file) => sum + file.size, 0);
  const told: [string, Part | undefined][] = [
    ['System', given(handover.system)],
    ['Date', given(handover.date)],
    ['Bundle', manifest.name],
    ['Number (sequence)', manifest.sequence],
    ['Not to be used after', manifest.expires ?? 'no date is set'],
    ['Elastic Stack', selection?.stack.join(', ')],
    ['Elastic Cloud on Kubernetes (ECK)', selection?.eck],
    ['eck-airgap', version],
    ['Platforms', platforms === 'all' ? 'all that each image has' : platforms.join(', ')],
    ['On the media', html`${formatBytes(size)} <span class="small">${groupedNumber(size)} bytes</span>`],
  ];
  const entries = told.flatMap(([term, detail]) =>
    detail === undefined
      ? []
      : [
          html`<div>
            <dt>${term}</dt>
            <dd>${detail}</dd>
          </div>`,
        ],
  );
  return html`<dl class="facts">${entries}</dl>`;
}

/** A line to write on, where nothing was given. */
function given(text: string | undefined): Html {
  return text === undefined
    ? html`<span class="blank" role="img" aria-label="to be filled in by hand"></span>`
    : html`<bdi>${text}</bdi>`;
}

function verdict({ images, files }: TransferFacts['lock']): Html {
  const all = [...images, ...files];
  const without = all.filter(({ verified }) => verified === 'none').length;
  const named = plural(all.length, 'image, chart or file', 'images, charts and files');
  if (without === 0)
    return html`<div class="verdict good">
      <p>
        <strong>Something vouches for each of the ${named} from outside.</strong> What it is stands beside each of them.
      </p>
    </div>`;
  return html`<div class="verdict bad">
    <p>
      <strong>Nothing vouches for ${without} of the ${named} from outside.</strong> They are what was found under their
      names when the lock was made, and are marked: <span class="unvouched">${MARK}</span>
    </p>
  </div>`;
}

const MARK = '▲ nothing vouches for it';

function voucher(verified: Verified): Html {
  const { by, detail } = vouchedBy(verified);
  if (by === undefined) return html`<span class="unvouched">${MARK}</span>`;
  return detail === undefined ? html`${by}` : html`${by} <span class="digest">${detail}</span>`;
}

function reasons(uses: readonly Use[] | undefined): Html {
  if (uses === undefined) return html`named in airgap.yaml`;
  return html`${uses.map((use) => html`<div>${describeUse(use)}: ${use.why}</div>`)}`;
}

function named(name: string, ...more: readonly string[]): Html {
  return html`<span class="name">${name}</span>${more.map((text) => html`<span class="digest">${text}</span>`)}`;
}

const WHY = { title: 'Why it is here' };
const SIZE = { title: 'Size', numeric: true };
const VOUCHED = { title: 'What vouches for it' };

function imagesTable(images: readonly LockedImage[], { images: sizes, total }: ImageSizes): Html {
  const rows = images.map((image): Part[] => {
    const { own, shared } = sizes.get(image.name) ?? { own: image.totalSize, shared: 0 };
    const { length } = image.accompanying;
    const carried =
      length === 0
        ? []
        : [
            `with ${plural(length, 'signature, attestation or other referrer', 'signatures, attestations and other referrers')}`,
          ];
    const size = html`${formatBytes(own + shared)} <span class="small">own ${formatBytes(own)}</span>
      <span class="small">shared ${formatBytes(shared)}</span>`;
    const from = image.from === undefined ? [] : [`taken from ${image.from}`];
    return [
      named(image.name, image.digest, image.platforms.join(', '), ...from, ...carried),
      reasons(image.uses),
      size,
      voucher(image.verified),
    ];
  });
  const sum = ['Together, what is shared counted once', '', formatBytes(total), ''];
  const columns = [{ title: 'Image' }, WHY, SIZE, VOUCHED];
  return table({ layout: 'things', caption: plural(images.length, 'image'), columns, rows, total: sum });
}

function chartsSection(charts: readonly LockedImage[]): Html {
  if (charts.length === 0) return html``;
  const rows = charts.map((chart): Part[] => [
    named(chart.name, chart.digest),
    reasons(chart.uses),
    formatBytes(chart.totalSize),
    voucher(chart.verified),
  ]);
  const columns = [{ title: 'Chart or artifact' }, WHY, SIZE, VOUCHED];
  return section(
    'Charts',
    table({
      layout: 'things',
      caption: plural(charts.length, 'chart or artifact', 'charts and artifacts'),
      columns,
      rows,
    }),
  );
}

/** What is not in the lock is the bundle's own: the lock itself, for example. */
function filesTable({ files }: BundleManifest, locked: readonly LockedFile[]): Html {
  const known = new Map(locked.map((file) => [file.name, file]));
  const rows = files.map(({ name, digest, size }): Part[] => {
    const file = known.get(name);
    return [
      named(name, digest),
      file === undefined ? 'made by this build: it says what the bundle is' : reasons(file.uses),
      formatBytes(size),
      file === undefined ? 'the signature over the bundle' : voucher(file.verified),
    ];
  });
  const columns = [{ title: 'File' }, WHY, SIZE, VOUCHED];
  return table({ layout: 'things', caption: plural(files.length, 'file'), columns, rows });
}

function mediaTable({ files, installers }: TransferFacts): Html {
  const all = [...files, ...installers];
  const total = all.reduce((sum, { size }) => sum + size, 0);
  const rows = all.map(({ path, sha256, size }): Part[] => [
    named(path),
    html`<span class="digest">${sha256}</span>`,
    groupedNumber(size),
  ]);
  const columns = [{ title: 'File' }, { title: 'SHA-256' }, { title: 'Bytes', numeric: true }];
  const caption = 'The bundle and the program; SHA256SUMS lists them with this page and README.txt';
  return table({ layout: 'media', caption, columns, rows, total: ['Together', '', groupedNumber(total)] });
}

function checks({ fingerprint, bundleDigest }: TransferFacts): Html {
  return html`<p>
      This page is in <code>SHA256SUMS</code>, and that is signed. It proves nothing by itself: check it with the trust
      card, which comes another way than the media.
    </p>
    <ol>
      <li>
        Check the signature of <code>SHA256SUMS</code> as the trust card says. The key of the card has this SHA-256:
        <pre>
${fingerprintGroups(fingerprint).slice(0, 8).join(' ')}
${fingerprintGroups(fingerprint).slice(8).join(' ')}</pre>
      </li>
      <li>
        In the folder of the media, type the following. The line <code>transfer.html: OK</code> must be printed, and no
        other result.
        <pre>sha256sum -c SHA256SUMS</pre>
      </li>
      <li>
        The bundle that is signed has this digest, which <code>eck-airgap verify</code> prints:
        <pre>${bundleDigest}</pre>
      </li>
    </ol>`;
}

function signatures({ requestedBy, approvedBy }: Handover): Html {
  const rows = [
    ['Requested by', requestedBy],
    ['Approved by', approvedBy],
    ['Carried by', undefined],
    ['Received by', undefined],
  ] as const;
  return html`<section class="keep">
    <h2>Signatures</h2>
          ${table({
            layout: 'sign',
            caption: 'Each signs for what stands in this record',
            columns: [{ title: 'Role' }, { title: 'Name' }, { title: 'Date' }, { title: 'Signature' }],
            rows: rows.map(([role, name]) => [role, name === undefined ? '' : html`<bdi>${name}</bdi>`, '', '']),
          })}
    </div>
  </section>`;
}
