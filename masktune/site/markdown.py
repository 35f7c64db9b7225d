"""A Markdown file of the repository as a page of the site: its links and its pictures go where they are on the site."""

import re
from collections.abc import Callable
from html import escape, unescape

from masktune.site import pictures
from masktune.site.links import Places

# Blocks of code between fences, and code within a line.
_CODE = re.compile(
    r"(^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence)`* *$|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))", re.M | re.S
)
_PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\((?P<file>[^)\s]+)\)$", re.M)
_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
_COMMENT = re.compile(r"^<!--.*?-->\n?", re.M | re.S)
_ANCHOR = re.compile(r'<a id="([\w-]+)"></a>(\*\*.+?\*\*)')

_OPENING = 240  # characters

Take = Callable[[str], tuple[str, str]]


def page(text: str, source: str, name: str, places: Places, take: Take) -> str:
    """The text of the page `name`, made from the file `source`.

    `take` is told of a figure (an SVG file of the repository). It answers where the site has it, without suffix and as
    seen from the page, and what the figure says where that is known.
    """
    text = _COMMENT.sub("", text)
    text = _PICTURE.sub(lambda match: raw(_figure(match["file"], match["alt"], take)), text)
    return outside_code(text, lambda prose: links(_ANCHOR.sub(r"[\2]{#\1}", prose), source, name, places))


def links(prose: str, source: str, name: str, places: Places) -> str:
    """Text without code, with the links of the site."""
    return _LINK.sub(lambda match: f"]({places.href(match['target'], source, name)})", prose)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with every part changed that is no code.

    >>> outside_code("a `a` a", str.upper)
    'A `a` A'
    """
    parts, end = [], 0
    for match in _CODE.finditer(text):
        parts += [change(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*parts, change(text[end:])])


def _figure(file: str, alt: str, take: Take) -> str:
    there, says = take(file)
    return pictures.figure(f"{there}.svg", f"{there}-dark.svg", says or alt)


def raw(html: str) -> str:
    """A block of HTML in a page."""
    ticks = "````"
    while ticks in html:
        ticks += "`"
    return f"{ticks}{{raw}} html\n{html}\n{ticks}"


def opening(text: str) -> str:
    r"""The first paragraph of a page in plain words, "" where it begins with none.

    >>> opening("# Title\n\nA [link](a.html) to `code`.\n\nMore.")
    'A link to code.'
    """
    paragraphs = [part for part in text.split("\n\n") if re.match(r"(?!```)[\w*`\[]|<p", _unwrapped(part))]
    first = " ".join(_unwrapped(paragraphs[0]).partition("</p>")[0].split()) if paragraphs else ""
    words = unescape(re.sub(r"<[^>]+>|[`*]", "", re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", first)))
    return words if len(words) <= _OPENING else words[:_OPENING].rpartition(" ")[0] + " \N{HORIZONTAL ELLIPSIS}"


def _unwrapped(part: str) -> str:
    """A paragraph without the fence of a block of HTML."""
    return part.split("\n", 1)[1] if part.startswith("````{raw} html\n") else part


def plain(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> plain("a < b")
    'a &lt; b'
    """
    return escape(text, quote=False).replace("*", "\\*")
