"""Is the library right? What `python -m benchmarks.agreement` measured, in sentences.

It is read from the tables in results/agreement, so that the package needs nothing of the benchmarks.
"""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import join_words, number

FOLDER = "agreement"


def bullets(results: Path) -> list[str]:
    """A line for each table that is there."""
    lines = []
    for name, sentence in SENTENCES.items():
        table = results / FOLDER / f"{name}.csv"
        if table.is_file():
            lines.append(f"- {sentence(pd.read_csv(table))} (`results/{FOLDER}/{name}.md`).")
    return lines


def _fine_tuning(frame: pd.DataFrame) -> str:
    inside = frame["low"].le(0) & frame["high"].ge(0)
    places = [
        f"{_ends(rows['difference'])} points on {len(rows)} set{'s' * (len(rows) != 1)} in `{study}` "
        f"({names.model(model)}), with 0 in the 95 % interval of {inside[rows.index].sum()}"
        for (study, model), rows in frame.groupby(["study", "model"], sort=False)
    ]
    return (
        "Plain fine-tuning by ours and by a stock `transformers.Trainer`, from the same checkpoints: ours minus theirs "
        f"is {join_words(places)}"
    )


def _ends(differences: pd.Series) -> str:
    return f"{number(differences.min(), sign=True)} to {number(differences.max(), sign=True)}"


def _same_start(frame: pd.DataFrame) -> str:
    same = int(frame["same_weights"].sum())
    return (
        f"From one head and in one order both end an epoch with the same weights to the bit in {same} of {len(frame)} "
        "cases"
    )


def _masking(frame: pd.DataFrame) -> str:
    inside = int(((frame["low"] <= frame["expected"]) & (frame["expected"] <= frame["high"])).sum())
    return (
        "Which tokens our masking and transformers' `DataCollatorForLanguageModeling` choose, and by what they replace "
        f"them: {inside} of {len(frame)} shares have what is expected in their exact 95 % interval"
    )


def _scores(frame: pd.DataFrame) -> str:
    return (
        f"Of {frame['numbers'].sum():,} scores of HANS and of contrast sets, computed again by code that shares "
        f"nothing with ours, the largest difference is {frame['largest_difference'].max():.1g} points, "
        f"{frame['missing'].sum()} are missing"
    )


def _processors(frame: pd.DataFrame) -> str:
    worst = frame.loc[frame["a_seed"].idxmax()]
    where = f"{worst['method']}, {names.model(worst['model'])}, {names.evaluation_set(worst['set'])}"
    leads = frame.dropna(subset=["here_ahead", "there_ahead"])
    overlap = (leads["here_ahead_low"] <= leads["there_ahead_high"]) & (
        leads["there_ahead_low"] <= leads["here_ahead_high"]
    )
    inside = int(((frame["moved_low"] <= 0) & (frame["moved_high"] >= 0)).sum())
    return (
        "The same runs once more on another kind of processor: a seed is off by "
        f"{number(frame['a_seed'].median())} points in the middle row of {len(frame)} (model x set x method) and by "
        f"{number(worst['a_seed'])} in the worst ({where}). Of the means over seeds {inside} of {len(frame)} moved by "
        f"an interval that holds 0, and of {len(leads)} leads over fine-tuning {int(overlap.sum())} have intervals "
        "that overlap on both"
    )


def _verdicts(frame: pd.DataFrame) -> str:
    same = int((frame["verdict_here"] == frame["verdict_there"]).sum())
    return f"Of {len(frame)} declared comparisons {same} have the same verdict on that processor"


SENTENCES: dict[str, Callable[[pd.DataFrame], str]] = {
    "fine_tuning": _fine_tuning,
    "same_start": _same_start,
    "masking": _masking,
    "scores": _scores,
    "processors": _processors,
    "verdicts": _verdicts,
}
