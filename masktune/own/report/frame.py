"""A page of HTML that holds all it needs: its frame, its look on phone and screen, in light and dark, its tables.

No script, nothing from a network. `masktune.analysis` and `masktune.own` write their pages with it.
"""

from html import escape

# No script runs, and nothing is loaded but pictures in the page or in its folder.
_POLICY = "default-src 'none'; img-src 'self' data: file:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --ink: #22272e; --quiet: #5d6570; --line: #dfe3e8; --paper: #ffffff; --soft: #f5f6f8;
  --link: #2f5fa8; --accent: #c2621b; --shade: #00000040; --glare: 1; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e6ea; --quiet: #9aa3ae; --line: #343a43; --paper: #16191d; --soft: #1f2329; --link: #8db7f0;
    --accent: #e8833a; --shade: #ffffff47; --glare: .78; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header.top > nav, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header.top { border-bottom: 1px solid var(--line); }
header.top > nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding-top: .8rem; padding-bottom: .8rem;
  font-size: .9rem; }
header.top a { color: var(--quiet); text-decoration: none; }
header.top a[aria-current] { color: var(--ink); font-weight: 600; }
header.top a:hover, a:hover { text-decoration: underline; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; scroll-margin-top: 1rem; }
h1 { font-size: 1.9rem; margin: 2.2rem 0 .6rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
h1, h2, h3, p, li, figcaption, summary { overflow-wrap: anywhere; }
p, ul, ol { max-width: 44rem; margin: .7rem 0; }
.question { font-size: 1.25rem; line-height: 1.45; border-left: 4px solid var(--accent); padding: .1rem 0 .1rem 1rem;
  margin: 1rem 0 1.4rem; }
.facts { color: var(--quiet); font-size: .95rem; padding-left: 1.1rem; }
.facts li { margin: .15rem 0; }
figure { margin: 1.2rem 0 1.8rem; }
figcaption { color: var(--quiet); font-size: .86rem; line-height: 1.5; max-width: 52rem; margin-top: .5rem; }
/* Figures are drawn for paper: in the dark their card is dimmed as a whole. */
.picture, .output_png { background: #ffffff; border: 1px solid var(--line); border-radius: 8px; padding: .9rem;
  overflow-x: auto; filter: brightness(var(--glare)); }
.picture img, .output_png img { display: block; max-width: 100%; height: auto; }
/* A table scrolls in its frame under its first column. The edge where more columns wait is shaded: paper that moves
   with the table covers the shade at both of its ends. */
.scroll { position: relative; overflow-x: auto; margin: .9rem 0; background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
  linear-gradient(to right, var(--shade), transparent) left / 1rem 100% no-repeat scroll,
  linear-gradient(to left, var(--shade), transparent) right / 1rem 100% no-repeat scroll; }
table { border: 0; border-collapse: separate; border-spacing: 0; font-size: .86rem; line-height: 1.4;
  font-variant-numeric: tabular-nums; }
caption { position: sticky; left: 0; width: max-content; max-width: 90vw; text-align: left; font-weight: 600;
  padding: .2rem .4rem .4rem 0; background: var(--paper); }
caption.heard, h2 + .table caption { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
th, td { padding: .34rem .7rem .34rem 0; text-align: left; white-space: nowrap; border: 0; }
thead th { border-bottom: 1.5px solid var(--quiet); font-weight: 600; vertical-align: bottom; }
tbody td, tbody th { border-bottom: 1px solid var(--line); font-weight: 400; }
tr > :first-child { position: sticky; left: 0; background: var(--paper); border-right: 1px solid var(--line); }
tr > :first-child + * { padding-left: .7rem; }
tbody tr:hover, tbody tr:hover > :first-child { background: var(--soft); }
td.wrap { white-space: normal; min-width: 16rem; }
.conclusions tbody :is(th, td), .observations tbody :is(th, td) { vertical-align: top; }
.conclusions td, .observations td, .text_cell_render td { white-space: normal; min-width: 8rem; }
.claims td:last-child { white-space: normal; min-width: 14rem; }
.downloads { font-size: .86rem; color: var(--quiet); }
ol.chapters { padding-left: 0; list-style: none; }
ol.chapters li { border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1rem; margin: .6rem 0; }
ol.chapters a { font-weight: 600; text-decoration: none; }
ol.chapters p { margin: .1rem 0 0; color: var(--quiet); font-size: .92rem; }
footer { border-top: 1px solid var(--line); margin-top: 3.5rem; padding-top: 1rem; padding-bottom: 3rem;
  color: var(--quiet); font-size: .86rem; }
pre, code { font-family: ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace; font-size: .86em; }
p code, li code, td code { background: var(--soft); padding: .1em .3em; border-radius: 4px; }
pre { line-height: 1.5; margin: 0; overflow-x: auto; }
details { border: 1px solid var(--line); border-radius: 8px; padding: .5rem 1rem; margin: 1rem 0; }
summary { cursor: pointer; font-weight: 600; }
.input { margin: 1.1rem 0 .5rem; }
.input .highlight { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .9rem; }
.output { margin: .5rem 0 1.4rem; }
.output pre { white-space: pre; }
.output_stderr { color: var(--quiet); }
.prompt { display: none; }
@media (max-width: 40rem) { body { font-size: 15px; } h1 { font-size: 1.5rem; } .question { font-size: 1.1rem; }
  .picture, .output_png { padding: .4rem; } .output_png img { max-width: 46rem; }
  .picture img { width: 46rem; max-width: none; }
  tr > :first-child { white-space: normal; min-width: 7rem; max-width: 9rem; }
  .conclusions tr > :first-child, .claims tr > :first-child { min-width: 0; }
  .conclusions td, .observations td { min-width: 12rem; } }
@media print { header.top { display: none; } body { background: #fff; } }
"""


def page(title: str, body: str, style: str, header: str = "", footer: str = "") -> str:
    """A whole page: `header` is what stands in its <header>, `footer` what stands below."""
    above = f'<header class="top">{header}</header>\n' if header else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{above}<main>
{body}
</main>
<footer>{footer}</footer>
</body>
</html>
"""


def scroll_frame(table: str, title: str) -> str:
    """A table (HTML) in a frame that scrolls sideways and that the keyboard can reach."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>'
