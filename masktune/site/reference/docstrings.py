"""A docstring as Markdown: prose, examples, code, and columns of names with what they mean.

This package writes names in single backticks, as Markdown does, and code indented by four spaces; what stands in two
columns becomes a table.
"""

import ast
import inspect
import re
from collections.abc import Callable

from masktune.site.links import fence
from masktune.site.markdown import outside_code, plain

_COLUMNS = re.compile(r"^(\S+(?: \S+)*?) {2,}(\S.*)$")
_NAME = re.compile(r"(?<![`\[])`([A-Za-z_][\w.]*)`(?!`)")

# Where a name in backticks is described: an address, "" if nowhere.
Find = Callable[[str], str]


def markdown(docstring: str | None, find: Find = lambda name: "") -> str:
    """The docstring as Markdown; names that `find` knows become links.

    >>> markdown("The `loss` of `x`.", lambda name: "losses.html" if name == "loss" else "")
    'The [`loss`](losses.html) of `x`.'
    """
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(docstring or ""))
    return "\n\n".join(_paragraph(text, find) for text in _joined(paragraphs) if text.strip())


def _joined(paragraphs: list[str]) -> list[str]:
    """Indented paragraphs that follow each other are one block of code."""
    joined: list[str] = []
    for text in paragraphs:
        if joined and _is_indented(text) and _is_indented(joined[-1]):
            joined[-1] += f"\n\n{text}"
        else:
            joined.append(text)
    return joined


def _is_indented(text: str) -> bool:
    return bool(text.strip()) and all(line.startswith("    ") for line in text.splitlines() if line.strip())


def _paragraph(text: str, find: Find) -> str:
    if text.startswith(">>>"):
        return fence(text, "pycon")
    if _is_indented(text):
        text = inspect.cleandoc("\n" + text)
        if _is_python(text):
            return fence(text, "python")
        return _table(rows, find) if (rows := _columns(text)) else fence(text, "text")
    if rows := _columns(text):
        return _table(rows, find)
    first, *more = re.split(r"\n(?=>>> )", text, maxsplit=1)  # an example right below its sentence
    return "\n\n".join([_prose(first, find), *(fence(example, "pycon") for example in more)])


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _columns(text: str) -> list[tuple[str, str]]:
    """(name, meaning) of each row if the paragraph is in two columns, else nothing."""
    rows: list[tuple[str, str]] = []
    for line in text.splitlines():
        if match := _COLUMNS.match(line):
            rows.append((match[1], match[2]))
        elif rows and line.startswith("    "):
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {line.strip()}")
        else:
            return []
    return rows


def _table(rows: list[tuple[str, str]], find: Find) -> str:
    cells = ((f"`{name.strip('`')}`", _prose(meaning, find).replace("|", "\\|")) for name, meaning in rows)
    return "\n".join(["| name | what it is |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in cells)])


def _prose(text: str, find: Find) -> str:
    return _NAME.sub(lambda match: _linked(match[1], find(match[1])), outside_code(text, plain))


def _linked(name: str, address: str) -> str:
    return f"[`{name}`]({address})" if address else f"`{name}`"
