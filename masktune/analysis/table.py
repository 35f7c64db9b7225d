"""A table of the report, its layout for reading, and its files: CSV, Markdown, LaTeX, HTML."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import DASH, MINUS
from masktune.own.report.frame import scroll_frame

LONG = 45  # characters that fit on one line of a column


@dataclass(frozen=True)
class Table:
    """A table of the report: `frame` is one number a row, `shown` the same as text in a layout for reading."""

    name: str
    title: str
    caption: str
    frame: pd.DataFrame
    shown: pd.DataFrame

    def _repr_html_(self) -> str:
        return html(self)


def pivot(frame: pd.DataFrame, index: list[str], columns: str, values: str) -> pd.DataFrame:
    """A row for each value of `index`, a column for each of `columns`, in order of appearance; a dash where none is."""
    wide = frame.pivot_table(index=index, columns=columns, values=values, aggfunc="first", sort=False)
    wide = wide[list(dict.fromkeys(frame[columns]))].fillna(DASH).reset_index()
    return wide.rename_axis(columns=None)


def move_last(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The same frame with these columns at its end."""
    return frame[[column for column in frame if column not in columns] + list(columns)]


_TITLES: dict[str, Callable[[str], str]] = {
    "task": names.task,
    "model": names.model,
    "set": names.evaluation_set,
    "kind": lambda kind: names.KINDS.get(kind, kind),
}


def name_values(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with titles for the names of tasks, models, sets and kinds."""
    return frame.assign(
        **{column: frame[column].map(title_of) for column, title_of in _TITLES.items() if column in frame}
    )


def name_columns(frame: pd.DataFrame, titles: dict[str, str] | None = None) -> pd.DataFrame:
    """The same rows with titles for the columns; `titles` adds to the usual ones and replaces them."""
    plain = {column: column.capitalize() for column in ("task", "model", "set", "kind", "examples", "seeds", "seed")}
    plain |= {column: column.capitalize() for column in ("measure", "part", "comparison", "method", "status", "error")}
    return frame.rename(columns={**plain, "accuracy": "Accuracy", **(titles or {})})


def write(table: Table, folder: Path) -> list[Path]:
    """Write `<name>.csv` (one number a row), `.md` and `.tex` (as shown) into the folder."""
    files = {
        "csv": table.frame.to_csv(index=False, float_format="%.6g", lineterminator="\n"),
        "md": markdown(table),
        "tex": latex(table),
    }
    paths = [folder / f"{table.name}.{suffix}" for suffix in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths


def markdown(table: Table) -> str:
    """A title, a pipe table, the caption."""
    rows = [table.shown.columns, ["---"] * table.shown.shape[1], *table.shown.to_numpy()]
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    body = [] if table.shown.empty else [*lines, ""]
    return "\n".join([f"### {table.title}", "", *body, table.caption, ""])


def latex(table: Table) -> str:
    """A booktabs table for a paper."""
    columns = "".join(_column_format(table.shown[name]) for name in table.shown)
    text = table.shown.to_latex(
        index=False, escape=True, caption=_escape(table.caption), label=f"tab:{table.name}", column_format=columns
    )
    special = {MINUS: "$-$", DASH: "--", "\N{GREATER-THAN OR EQUAL TO}": "$\\ge$"}
    for character, command in special.items():
        text = text.replace(character, command)
    return text


def _column_format(cells: pd.Series) -> str:
    """How LaTeX sets a column: long texts in lines of their own, numbers to the right."""
    if pd.api.types.is_numeric_dtype(cells):
        return "r"
    return r"p{0.16\linewidth}" if cells.astype(str).str.len().max() > LONG else "l"


def _escape(text: str) -> str:
    return text.replace("%", "\\%").replace("_", "\\_").replace("&", "\\&")


def html(table: Table) -> str:
    """The table as an HTML fragment: a scrolling frame, in which the first column names each row, and the caption."""
    framed = "" if table.shown.empty else scroll_frame(_accessible_html(table), table.title)
    return f'<figure class="table {table.name}">{framed}<figcaption>{escape(table.caption)}</figcaption></figure>'


def _accessible_html(table: Table) -> str:
    """The rows as HTML with what a screen reader says of them: the title, the heads of columns and of rows."""
    text = table.shown.to_html(index=False, border=0, escape=True, classes="data")
    text = text.replace("<thead>", f"<caption>{escape(table.title)}</caption>\n  <thead>", 1)
    text = text.replace("<th>", '<th scope="col">')
    return re.sub(r"(<tr>\s*)<td>(.*?)</td>", r'\1<th scope="row">\2</th>', text, flags=re.DOTALL)
