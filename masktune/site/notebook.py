"""A notebook as a page of the site: its text, its code, and what is stored of its outputs. Nothing is executed."""

import base64
import re
from dataclasses import dataclass
from typing import Any

from masktune.site import markdown, pictures
from masktune.site.files import Files
from masktune.site.links import Places, fence

LEFT_OUT = {"injected-parameters"}
_ANSI = re.compile("\x1b\\[[0-9;]*m")


@dataclass
class Context:
    """Where a notebook is: the file whose links it holds, its page, and where the site's files go."""

    source: str
    page: str
    places: Places
    files: Files


def page(notebook: dict[str, Any], context: Context) -> str:
    """The page of a notebook."""
    parts: list[str] = []
    for number, cell in enumerate(notebook["cells"]):
        if LEFT_OUT.isdisjoint(cell["metadata"].get("tags", ())):
            parts += _text(cell, context) if cell["cell_type"] == "markdown" else _code(cell, number, context)
    return "\n\n".join(parts) + "\n"


def _text(cell: dict[str, Any], context: Context) -> list[str]:
    return [_prose("".join(cell["source"]), context)]


def _prose(text: str, context: Context) -> str:
    take = context.files.figures_of(context.source, context.page)
    return markdown.page(text, context.source, context.page, context.places, take)


def _code(cell: dict[str, Any], number: int, context: Context) -> list[str]:
    """The code of a cell and its outputs."""
    code = "".join(cell["source"]).rstrip()
    outputs = [_output(output, f"{number}-{place}", context) for place, output in enumerate(cell.get("outputs", ()))]
    return [fence(code, "python") if code else "", *filter(None, outputs)]


def _output(output: dict[str, Any], name: str, context: Context) -> str:
    """One output, in the richest form that a page shows."""
    if output["output_type"] == "stream":
        return _plain(output["text"])
    if output["output_type"] == "error":
        return _plain("\n".join(output["traceback"]))
    data = output["data"]
    if "image/png" in data:
        return _picture(data["image/png"], output.get("metadata", {}).get("image/png", {}), name, context)
    if "text/html" in data:
        return markdown.raw(f'<div class="output">{"".join(data["text/html"])}</div>')
    if "text/markdown" in data:
        return _prose("".join(data["text/markdown"]), context)
    return _plain(data.get("text/plain", ""))


def _plain(text: str | list[str]) -> str:
    shown = _ANSI.sub("", "".join(text)).rstrip()
    return f":::{{container}} output\n{fence(shown, 'text')}\n:::" if shown else ""


def _picture(encoded: str | list[str], about: dict[str, Any], name: str, context: Context) -> str:
    """A bitmap, turned over for dark pages, and what it shows in words."""
    light = context.files.bitmap(base64.b64decode("".join(encoded)), f"{context.page}-{name}", context.page)
    return markdown.raw(
        pictures.figure(f"{light}.png", f"{light}-dark.png", about.get("alt", ""), width=about.get("width"))
    )
