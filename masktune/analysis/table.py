"""Tables laid out for reading, each with a caption that says n, what varies and which interval; and their files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from masktune.analysis import names
from masktune.analysis.answers import LOPSIDED
from masktune.statistics.tests import BINS

LONG = 45  # characters that stand on one line of a column
MINUS = "\N{MINUS SIGN}"
CROSSED = "95 % t interval over paired seeds x clusters of examples"
VARIES = "Seeds vary the initialisation of the head, the order of the batches, dropout and the masking"


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


def main(frame: pd.DataFrame) -> Table:
    """Accuracies, a column for each method."""
    place = ["task", "model", "set", "kind", "majority", "examples"]
    texts = zip(_intervals(frame, "accuracy"), frame["balanced"], frame["auroc"], strict=True)
    cells = frame.assign(text=[text + beside(*rest) for text, *rest in texts])
    shown = _wide(cells, place, "method", "text")
    shown = named(shown).assign(majority=[f"{value:.1f}" for value in shown["majority"]])
    shown = _last(shown, "majority", "examples")
    caption = (
        f"Accuracy in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval over seeds, within 0 to "
        f"100]. {VARIES}; the examples are fixed ({count(frame['examples'], 'example')} a set). Constant: the score of "
        f"always giving the commonest answer.{beside_note(frame)}"
    )
    return Table("main", "Accuracy in and out of distribution", caption, frame, titled(shown, {"majority": "Constant"}))


def differences(frame: pd.DataFrame) -> Table:
    """Paired differences, a row for each comparison."""
    compared = [f"{second} {MINUS} {first}" for first, second in zip(frame["first"], frame["second"], strict=True)]
    shown = frame[["task", "model", "set", "kind"]].assign(comparison=compared)
    numbers = zip(frame["difference"], frame["low"], frame["high"], strict=True)
    shown["points"] = [interval(*row, sign=True) for row in numbers]
    shown["p"] = [p_value(*row) for row in zip(frame["p"], frame["smallest_p"], strict=True)]
    shown["P(higher)"] = [f"{value:.2f}" for value in frame["probability_greater"]]
    lopsided = {"balanced": "Balanced accuracy", "auroc": "AUROC"} if frame["balanced"].notna().any() else {}
    for name in lopsided:
        shown[name] = [_signed(*row) for row in zip(*(frame[name + end] for end in ("", "_low", "_high")), strict=True)]
    shown["seeds"], shown["examples"] = frame["seeds"], frame["examples"]
    caption = (
        f"Paired differences in points of accuracy [{CROSSED}], {count(frame['seeds'], 'paired seed')}, "
        f"{count(frame['examples'], 'example')} a set. {VARIES}, both methods sharing each seed. p: two-sided "
        f"sign-flip test over paired seeds, not corrected for the number of comparisons{seeds_note(frame)}. P(higher): "
        f"how often a run of the one beats a run of the other. In the CSV file: MultiBERTs' bootstrap, and "
        f"at how many seeds McNemar's test alone would call the two runs different.{beside_note(frame)}"
    )
    titles = {"points": "Difference [95 %]", **lopsided}
    if len(set(compared)) == 1:
        shown, titles = shown.drop(columns="comparison"), {**titles, "points": f"{compared[0]} [95 %]"}
    return Table("differences", "Paired differences", caption, frame, titled(named(shown), titles))


def details(frame: pd.DataFrame) -> Table:
    """Pairs, classes, ranking and groups, a column for each method."""
    cells = frame.assign(text=_intervals(frame, "value"))
    shown = named(_wide(cells, ["task", "model", "set", "measure", "part", "examples"], "method", "text"))
    shown = _last(shown, "examples")
    caption = (
        f"What accuracy alone hides, in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval over "
        f"seeds, within 0 to 100]. {VARIES}; the examples are fixed. Pair consistency: the share of pairs whose "
        "original and edited half are both right. Class and group accuracy: among the examples of that class or group. "
        "Balanced accuracy: the mean of the classes, where a constant answer scores chance. "
        "AUROC: how often an example of the second class outranks one of the first, whatever the threshold. "
        "Calibration error: how far confidence lies from accuracy, 0 at best "
        f"(ECE, {BINS} bins of equal width)."
    )
    return Table("details", "Pairs, classes and groups", caption, frame, titled(shown))


def failures(frame: pd.DataFrame, planned: int) -> Table:
    """Runs that failed or are missing."""
    place = ["task", "model", "method", "status", "error"]
    shown = frame.fillna("").groupby(place, sort=False)["seed"].agg(lambda seeds: ", ".join(map(str, seeds)))
    shown = named(shown.reset_index().rename(columns={"seed": "seeds"}))
    if frame.empty:
        caption = f"No run failed and none is missing: {planned} of {planned} runs are in the tables."
    else:
        caption = (
            f"{len(frame)} of {planned} runs failed or are missing. They are in no other table, and a number that "
            "rests on fewer seeds for it says so."
        )
    return Table("failures", "Failed and missing runs", caption, frame, titled(shown))


def seeds(frame: pd.DataFrame) -> Table:
    """Every run on every set; for the files, too long to print."""
    shown = named(frame.round({"accuracy": 2, "low": 2, "high": 2}))
    caption = (
        "Accuracy of every run on every set in per cent, with the 95 % Wilson interval over its examples. "
        f"{count(frame['examples'], 'example')} a set."
    )
    return Table("seeds", "Every run", caption, frame, titled(shown))


def interval(mean: float, low: float, high: float, sign: bool = False) -> str:
    """`88.1 [87.0, 89.2]`, with a sign where differences are meant; the mean alone where there is no interval."""
    text = number(mean, sign)
    return text if pd.isna(low) else f"{text} [{number(low, sign)}, {number(high, sign)}]"


def _signed(mean: float, low: float, high: float) -> str:
    return "\N{EN DASH}" if pd.isna(mean) else interval(mean, low, high, sign=True)


def beside(balanced: float, auroc: float, constant: float = float("nan"), sign: bool = False) -> str:
    """What stands beside the accuracy, or with `sign` a difference of accuracies, of a lopsided set; else nothing."""
    if pd.isna(balanced):
        return ""
    named = {"balanced": balanced, "AUROC": auroc, "constant": constant}
    return "; " + ", ".join(f"{name} {number(value, sign)}" for name, value in named.items() if pd.notna(value))


def beside_note(frame: pd.DataFrame) -> str:
    """A sentence on lopsided sets, where the table has any."""
    if not frame["balanced"].notna().any():
        return ""
    return (
        f" Where the commonest answer scores more than chance by over {100 * LOPSIDED:g} points, balanced accuracy "
        "(the mean over classes) and AUROC (of two classes) stand beside: there accuracy follows how often an answer "
        "is given. Their intervals, where shown, are 95 % t intervals over seeds, the examples being fixed."
    )


def _intervals(frame: pd.DataFrame, column: str) -> list[str]:
    """Each mean with its interval, and with its seeds where it rests on fewer than most rows do."""
    usual = frame["seeds"].max()
    rows = zip(frame[column], frame["low"], frame["high"], frame["seeds"], strict=True)
    return [interval(*row) + ("" if seeds == usual else f" ({seeds} of {usual} seeds)") for *row, seeds in rows]


def number(value: float, sign: bool = False) -> str:
    """One decimal, a real minus sign, `+` where asked for; never a negative zero."""
    value = round(float(value), 1) + 0.0
    return f"{value:{'+' if sign and value else ''}.1f}".replace("-", MINUS)


def p_value(p: float, smallest: float) -> str:
    """A p value, or what the number of seeds allows at best."""
    if pd.isna(p):
        return f"(\N{GREATER-THAN OR EQUAL TO} {smallest:.3g})"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def count(values: pd.Series, noun: str) -> str:
    """`10 seeds`, or `8 to 10 seeds` where it differs from row to row."""
    if values.empty:
        return f"no {noun}s"
    low, high = int(values.min()), int(values.max())
    plural = "" if low == high == 1 else "s"
    return f"{low:,} {noun}{plural}" if low == high else f"{low:,} to {high:,} {noun}s"


def seeds_note(frame: pd.DataFrame) -> str:
    """What to say where the seeds are too few for a test; nothing where they suffice."""
    few = frame[frame["p"].isna()]
    notes = {
        f"{row.seeds} seed{'s' * (row.seeds != 1)}: the sign-flip test cannot go below {row.smallest_p:.4g}"
        for row in few[["seeds", "smallest_p"]].itertuples()
    }
    return f" ({'; '.join(sorted(notes))})" if notes else ""


def _wide(frame: pd.DataFrame, place: list[str], column: str, value: str) -> pd.DataFrame:
    """A row for each place, a column for each method, both in order of appearance; a dash where nothing is."""
    wide = frame.pivot_table(index=place, columns=column, values=value, aggfunc="first", sort=False)
    wide = wide[list(dict.fromkeys(frame[column]))].fillna("\N{EN DASH}").reset_index()
    return wide.rename_axis(columns=None)


def _last(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The same frame with these columns at its end."""
    return frame[[column for column in frame if column not in columns] + list(columns)]


_NAMERS: dict[str, Callable[[str], str]] = {
    "task": names.task,
    "model": names.model,
    "set": names.evaluation_set,
    "kind": lambda kind: names.KINDS.get(kind, kind),
}


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """The same rows with titles for names."""
    return frame.assign(**{column: frame[column].map(namer) for column, namer in _NAMERS.items() if column in frame})


def titled(frame: pd.DataFrame, titles: dict[str, str] | None = None) -> pd.DataFrame:
    """The same rows with titles for columns."""
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
    columns = "".join(_column(table.shown[name]) for name in table.shown)
    text = table.shown.to_latex(
        index=False, escape=True, caption=_escaped(table.caption), label=f"tab:{table.name}", column_format=columns
    )
    special = {MINUS: "$-$", "\N{EN DASH}": "--", "\N{GREATER-THAN OR EQUAL TO}": "$\\ge$"}
    for character, command in special.items():
        text = text.replace(character, command)
    return text


def _column(cells: pd.Series) -> str:
    """How LaTeX sets a column: long texts in lines of their own, numbers to the right."""
    if pd.api.types.is_numeric_dtype(cells):
        return "r"
    return r"p{0.16\linewidth}" if cells.astype(str).str.len().max() > LONG else "l"


def _escaped(text: str) -> str:
    return text.replace("%", "\\%").replace("_", "\\_").replace("&", "\\&")


def html(table: Table) -> str:
    """The table as an HTML fragment: a scrolling frame, in which the first column names each row, and the caption."""
    framed = "" if table.shown.empty else frame(_labelled(table), table.title)
    return f'<figure class="table {table.name}">{framed}<figcaption>{escape(table.caption)}</figcaption></figure>'


def frame(table: str, title: str) -> str:
    """A table (HTML) in a frame that scrolls sideways and that the keyboard reaches."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>'


def _labelled(table: Table) -> str:
    """The rows as HTML with what a screen reader says of them: the title, the heads of columns and of rows."""
    text = table.shown.to_html(index=False, border=0, escape=True, classes="data")
    text = text.replace("<thead>", f"<caption>{escape(table.title)}</caption>\n  <thead>", 1)
    text = text.replace("<th>", '<th scope="col">')
    return re.sub(r"(<tr>\s*)<td>(.*?)</td>", r'\1<th scope="row">\2</th>', text, flags=re.DOTALL)
