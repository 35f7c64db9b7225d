"""The tables of the deviations log: how differences moved from one version of a study to the next.

Results of versions that are gone stand in results/history, as the commits held them; those of the embedded world's
version of today are read from its stored tables.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import DASH, interval, number
from masktune.analysis.summary.records import Record
from masktune.data.world.settings import WORLD_VERSION
from masktune.study.paths import existing

PLACE = ["task", "model", "set"]
COMPARED = ("fine-tuning", "Mask-tuning")


def tables(records: Sequence[Record]) -> dict[str, str]:
    """The tables of the log by name, as Markdown; none whose history is not there."""
    embedded, real = history_file("embedded"), history_file("real")
    found = {"embedded": _embedded(embedded, records) if embedded.is_file() else ""}
    found["real"] = _real(real) if real.is_file() else ""
    return {name: text for name, text in found.items() if text}


def history_file(name: str) -> Path:
    """results/history/<name>.csv of the working folder or the project: history is not made anew elsewhere."""
    return existing(Path("results") / "history" / f"{name}.csv")


def _embedded(path: Path, records: Sequence[Record]) -> str:
    """A row for each task, model and set, a column for each version; two states of one version have one each."""
    frame = pd.concat([pd.read_csv(path), current(records)], ignore_index=True)
    states = list(frame.groupby(["version", "date", "commit"], sort=False))
    titles = [f"{version:g}, {date} ({commit})" for (version, date, commit), _ in states]
    shown = [_shown(rows) for _, rows in states]
    places = frame[PLACE].drop_duplicates().itertuples(index=False, name=None)
    rows = [
        [*_place(*place), *(cells.get(place, DASH) for cells in shown)]
        for place in places
    ]  # fmt: skip
    return _markdown(["Task", "Model", "Set", *titles], rows)


def current(records: Sequence[Record]) -> pd.DataFrame:
    """The results of the world of today in the columns of the history; none while it is not run."""
    record = next((record for record in records if record.name == "embedded" and record.has_results), None)
    if record is None:
        return pd.DataFrame()
    differences, accuracies = record.table("differences"), record.table("main")
    if differences.empty:
        return pd.DataFrame()
    plain, ours = (
        accuracies[accuracies["method"] == label].set_index(PLACE)["accuracy"].rename(column)
        for label, column in zip(COMPARED, ("fine_tuning", "mask_tuning"), strict=True)
    )
    own = differences[(differences["first"] == COMPARED[0]) & (differences["second"] == COMPARED[1])]
    own = own[[*PLACE, "kind", "difference", "low", "high", "seeds"]]
    stamp = {"version": WORLD_VERSION, "date": "now", "commit": "results/embedded"}
    return own.join(plain, on=PLACE).join(ours, on=PLACE).assign(**stamp)


def _shown(rows: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """`98.8 to 64.7: −34.1`, by task, model and set."""
    return {
        (row.task, row.model, row.set): f"{number(row.fine_tuning)} to {number(row.mask_tuning)}: "
        f"{number(row.difference, sign=True)} ({int(row.seeds)})"
        for row in rows.itertuples()
    }


def _place(task: str, model: str, name: str) -> list[str]:
    return [names.task(task), names.model(model), names.evaluation_set(name)]


def _real(path: Path) -> str:
    rows = [
        [
            f"`{row.study}`", *_place(row.task, row.model, row.set), number(row.fine_tuning), number(row.mask_tuning),
            interval(row.difference, row.low, row.high, sign=True), str(row.seeds), f"{row.date} ({row.commit})",
        ]
        for row in pd.read_csv(path).itertuples()
    ]  # fmt: skip
    columns = ["Study", "Task", "Model", "Set", "Fine-tuning", "Mask-tuning", "Difference [95 %]", "Seeds", "Commit"]
    return _markdown(columns, rows)


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
