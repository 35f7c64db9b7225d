"""Takes the progress bars out of an executed notebook: a bar is for who waits."""

import re
from typing import Any

# A description, then 15%|##   | 3/20 [00:01<00:06, 2.5it/s]; with an unknown total 3it [00:01, 2.5it/s].
_BRACKETS = r"\[(?:[^\[\]]|\[[^\]]*\])*\]"
_BAR = re.compile(
    rf".*?(?:\d+%\|[^|]*\|(?: *[\d.]+\w*/[\d.?]+\w*)?(?: {_BRACKETS})?|\b\d[\d.]* ?\S* \[\d+:\d\d[^\]]*\])"
)
_BLOCKS = re.compile("[\N{FULL BLOCK}-\N{LEFT ONE EIGHTH BLOCK}\N{BOX DRAWINGS HEAVY HORIZONTAL}]{2}")
_CURSOR = re.compile(r"\x1b\[\d*[A-K]")


def remove_bars(notebook: dict[str, Any]) -> None:
    """Take all progress bars out of an executed notebook (its JSON), whichever library drew them; all else stays.

    Gone are what was written over in place, bars of tqdm, HTML with a <progress> element (the Trainer's table of steps
    too) and the state of widgets that no output shows any more.
    """
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        cell["outputs"] = [output for output in _join(cell["outputs"]) if not _is_bar(output)]
    shown = (mime for cell in cells for output in cell["outputs"] for mime in output.get("data", ()))
    if not any("widget-view" in mime for mime in shown):
        notebook["metadata"].pop("widgets", None)


def _join(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs, neighbouring pieces of one stream as one text in which nothing is written over."""
    joined: list[dict[str, Any]] = []
    for output in outputs:
        if "name" in output and joined and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] = [*joined[-1]["text"], *output["text"]]
        else:
            joined.append(dict(output))
    for stream in (output for output in joined if output["output_type"] == "stream"):
        lines = re.findall(r"[^\n]*\n|[^\n]+", _text(stream["text"]).replace("\r\n", "\n"))
        stream["text"] = [left for line in lines if (left := _strip_bar(line))]
    return joined


def _strip_bar(line: str) -> str:
    """What is left of a line of a stream: all of it, or what follows the bar where it was drawn in place."""
    *before, last = line.split("\r")
    if not before:
        return line
    left = _CURSOR.sub("", _BAR.sub("", last))
    return left if left.strip() and not _BLOCKS.search(left) else ""


def _is_bar(output: dict[str, Any]) -> bool:
    if output["output_type"] == "stream":
        return not output["text"]
    data = {mime: _text(content) for mime, content in output.get("data", {}).items() if mime.startswith("text/")}
    plain = data.get("text/plain", "").strip()
    widget = any("widget-view" in mime for mime in output.get("data", ()))
    return (
        "<progress" in data.get("text/html", "")
        or (widget and "Progress(" in plain)
        or (output["output_type"] == "display_data" and bool(_BAR.fullmatch(plain)))
    )


def _text(content: str | list[str]) -> str:
    return content if isinstance(content, str) else "".join(content)
