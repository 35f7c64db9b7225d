"""What is asked of a page in the browser. Each rule is a script that answers with a list of sentences, [] if all holds.

A page is looked at twice: on a phone in light colours, and on a desk in dark ones.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """How a page is looked at: CSS pixels, and the colours that the reader prefers."""

    name: str
    width: int
    height: int
    dark: bool


VIEWS = (View("phone, light", 390, 844, False), View("desk, dark", 1440, 900, True))

OVERFLOW = """(() => {
  const width = document.documentElement.clientWidth, wide = document.documentElement.scrollWidth;
  if (wide <= width) return [];
  const out = [...document.querySelectorAll("article *")].filter(one => one.getBoundingClientRect().right > width + 1
    && !one.parentElement.closest(".scroll, .picture, pre, .highlight")).slice(0, 3);
  return [`is ${wide} pixels wide in a window of ${width}: ` + out.map(one => one.outerHTML.slice(0, 80)).join("; ")];
})()"""

# An image says what it shows: words and, as all figures here are of measurements, a number, or that there is none.
IMAGES = """[...document.querySelectorAll("article img")].filter(one => one.offsetParent)
  .filter(one => (one.alt.match(/\\w+/g) || []).length < 5 || !/\\d|^(No|Nothing) /.test(one.alt))
  .map(one => `an image has the text "${one.alt}": ${one.getAttribute("src")}`)"""

LOADED = """Promise.all([...document.images].filter(one => one.offsetParent).map(async one => {
  one.loading = "eager";
  try { await one.decode(); return []; } catch { return [`${one.getAttribute("src")} cannot be shown`]; }
})).then(all => all.flat())"""

TABLES = """[...document.querySelectorAll("article table")].flatMap(one => {
  const name = one.caption ? one.caption.textContent : one.textContent.trim().slice(0, 40), found = [];
  if (!one.caption) found.push(`the table "${name}" has no caption`);
  if (!one.querySelector("th")) found.push(`the table "${name}" has no heads`);
  if (one.querySelector("th:not([scope])")) found.push(`a head of the table "${name}" has no scope`);
  if (!one.closest(".scroll")) found.push(`the table "${name}" does not scroll`);
  else if (getComputedStyle(one.querySelector("tr > :first-child")).position !== "sticky")
    found.push(`the first column of the table "${name}" is not fixed`);
  return found;
})"""

# What of a page must be seen in this view: one drawing of each figure.
FIGURES = """[...document.querySelectorAll(".picture")].filter(one =>
  [...one.querySelectorAll("img")].filter(image => image.offsetParent).length !== 1)
  .map(one => `a figure shows not one drawing but ${one.querySelectorAll("img").length}`)"""

RULES = (OVERFLOW, IMAGES, LOADED, TABLES, FIGURES)

AXE = """axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], resultTypes: ["violations"] })
  .then(answer => answer.violations.map(one => `${one.id}: ${one.help} (${one.nodes.length}): `
    + one.nodes.slice(0, 2).map(node => node.target.join(" ") + " " + (node.any[0]?.message || "")).join("; ")))"""

SEARCH = """new Promise(done => { const wait = setInterval(() => {
  const found = document.querySelectorAll("#search-results li");
  if (found.length > 4) { clearInterval(wait); done([]); } }, 100);
  setTimeout(() => { clearInterval(wait); done(["the search found nothing in 20 seconds"]); }, 20000); })"""
