// How the page looks: on a screen, light or dark, wide or narrow, and on paper (A4 and Letter), where heads of tables are
// repeated, no row is split and no heading is left alone: on paper each claims some room below itself. Colours are held by a test to a contrast of 4.5 (WCAG 2.2, AA).

/** Nothing in it comes from outside. */
export const STYLE = `
:root { color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --muted: #57606a; --line: #d5dbe1; --panel: #f5f7f9;
  --good: #14603a; --good-panel: #e9f5ee; --bad: #8a3a00; --bad-panel: #fff1e0; }
@media (prefers-color-scheme: dark) { :root {
  --page: #14171b; --text: #e6e9ec; --muted: #a3adb8; --line: #363d45; --panel: #1c2127;
  --good: #86d9a9; --good-panel: #15281e; --bad: #f2b866; --bad-panel: #2e2411; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 74rem; padding: 2.5rem 2rem 4rem; background: var(--page); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  overflow-wrap: break-word; }
header { border-bottom: 2px solid var(--text); padding-bottom: 1.25rem; margin-bottom: 1.5rem; }
header p { margin: 0; color: var(--muted); }
h1 { font-size: 2rem; line-height: 1.2; font-weight: 650; margin: .1em 0 .25em; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; font-weight: 650; margin: 2.75rem 0 .5rem; break-after: avoid; }
p { margin: .5rem 0; max-width: 46rem; }
code, pre, .name, .digest { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: .87em; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.digest, .small { display: block; color: var(--muted); font-size: .8em; line-height: 1.45; overflow-wrap: anywhere; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .6rem .8rem; overflow-x: auto; max-width: 46rem; }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1rem 2rem; margin: 1.5rem 0; }
dl.facts div { border-left: 3px solid var(--line); padding-left: .75rem; break-inside: avoid; }
dt { color: var(--muted); font-size: .85em; }
dd { margin: 0; overflow-wrap: anywhere; }
.verdict { border: 1px solid; border-left-width: 6px; border-radius: 4px; padding: .7rem 1rem; margin: 1.5rem 0; break-inside: avoid; }
.verdict p { margin: .15rem 0; max-width: none; }
.verdict.good { color: var(--good); background: var(--good-panel); }
.verdict.bad { color: var(--bad); background: var(--bad-panel); }
.unvouched { display: inline-block; color: var(--bad); background: var(--bad-panel); border: 1px solid; border-radius: 4px;
  padding: 0 .45em; font-weight: 600; }
.unseen { border: 1px dashed; border-radius: 3px; padding: 0 .2em; font-size: .8em; color: var(--bad); }
.blank { display: block; min-width: 6rem; height: 1.5em; border-bottom: 1px solid var(--text); }
table { border-collapse: collapse; table-layout: fixed; width: 100%; margin: .75rem 0 0; }
caption { text-align: left; color: var(--muted); padding-bottom: .4rem; font-size: .9em; }
th, td { text-align: left; vertical-align: top; padding: .55rem .9rem .55rem 0; font-weight: inherit; }
thead th { color: var(--muted); font-size: .85em; border-bottom: 1.5px solid var(--text); vertical-align: bottom; padding-top: .2rem; }
tbody th, tbody td { border-bottom: 1px solid var(--line); }
@media print, (min-width: 44.01rem) {
.things th:nth-child(1) { width: 40%; } .things th:nth-child(2) { width: 23%; } .things th:nth-child(3) { width: 11%; }
.changes th:nth-child(1) { width: 36%; } .changes th:nth-child(2) { width: 15%; }
.media th:nth-child(1) { width: 30%; } .media th:nth-child(3) { width: 16%; }
.sign th:nth-child(1) { width: 18%; } .sign th:nth-child(2) { width: 30%; } .sign th:nth-child(3) { width: 18%; } }
tr > :last-child { padding-right: 0; }
td.number { font-variant-numeric: tabular-nums; }
.sign td, .sign tbody th { height: 3.6rem; vertical-align: bottom; padding-bottom: .35rem; }
.sign tbody th { font-weight: 600; }
.sign td { border-left: 1px solid var(--line); padding-left: .75rem; }
.sign thead th:not(:first-child) { padding-left: .75rem; }
.sign tbody th, .sign tbody td { border-bottom-color: var(--text); }
tr.total > * { border-bottom: 0; border-top: 1.5px solid var(--text); font-weight: 650; }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .87em; }
@media screen and (max-width: 44rem) {
  body { padding: 1.25rem 1rem 2.5rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, caption, tbody, tr, tbody th, tbody td { display: block; width: auto; }
  tbody tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
  tbody th, tbody td, .sign tbody td { border: 0; padding: .15rem 0; height: auto; }
  tbody td::before { content: attr(data-column); display: block; color: var(--muted); font-size: .8em; margin-top: .2rem; }
  tbody td:empty { display: none; }
  .sign tbody td { display: block; min-height: 3.4rem; border-bottom: 1px solid var(--line); }
}
@page { margin: 16mm 15mm 18mm; @top-left { content: ""; } @top-right { content: ""; }
  @bottom-left { content: "Transfer record"; font: 9px sans-serif; color: #57606a; }
  @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 9px sans-serif; color: #57606a; } }
@media print {
  :root { --page: #ffffff; --text: #000000; --muted: #444b52; --line: #b9c0c7; --panel: #ffffff;
    --good: #0f4f2f; --good-panel: #ffffff; --bad: #7a3200; --bad-panel: #ffffff; }
  body { max-width: none; padding: 0; font-size: 10.5px; }
  h1 { font-size: 1.9em; }
  h2 { font-size: 1.5em; margin-top: 1.8em; break-inside: avoid; }
  h2::after { content: ""; display: block; height: 9em; margin-bottom: -9em; }
  dl.facts { grid-template-columns: repeat(3, 1fr); gap: .8rem 1.5rem; }
  thead { display: table-header-group; }
  tr, pre, li { break-inside: avoid; }
  .keep { break-inside: avoid; }
  pre { white-space: pre-wrap; }
  tbody th, tbody td { padding-top: .35rem; padding-bottom: .35rem; } }
`;
