"""The tables of accuracies laid out for reading, each with a caption that says n, what varies and which interval."""

import pandas as pd

from masktune.analysis.formatting import (
    CROSSED,
    DASH,
    MINUS,
    VARIES,
    count,
    interval,
    p_value,
    secondary_metrics,
    secondary_metrics_note,
    seeds_note,
)
from masktune.analysis.table import Table, move_last, name_columns, name_values, pivot
from masktune.statistics.metrics import BINS


def main(frame: pd.DataFrame) -> Table:
    """Accuracies, a column for each method."""
    place = ["task", "model", "set", "kind", "majority", "examples"]
    untrained = failed_to_train(frame)
    texts = zip(_intervals(frame, "accuracy"), frame["balanced"], frame["auroc"], untrained, strict=True)
    cells = frame.assign(
        text=[text + secondary_metrics(*rest) + " (did not train)" * failed for text, *rest, failed in texts]
    )
    shown = pivot(cells, place, "method", "text")
    shown = name_values(shown).assign(majority=[f"{value:.1f}" for value in shown["majority"]])
    shown = move_last(shown, "majority", "examples")
    caption = (
        f"Accuracy in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval over seeds, within 0 to "
        f"100]. {VARIES}; the examples are fixed ({count(frame['examples'], 'example')} a set). Constant: the score of "
        f"always giving the commonest answer.{secondary_metrics_note(frame)}"
    )
    shown = name_columns(shown, {"majority": "Constant"})
    return Table("main", "Accuracy in and out of distribution", caption, frame, shown)


def failed_to_train(frame: pd.DataFrame) -> pd.Series:
    """Which rows of `Results.main` the study's gates found not to have learnt their task: bool."""
    return frame.get("trained", pd.Series(True, index=frame.index)).eq(False)


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
        shown[name] = [
            _signed_interval(*row) for row in zip(*(frame[name + end] for end in ("", "_low", "_high")), strict=True)
        ]
    shown["seeds"], shown["examples"] = frame["seeds"], frame["examples"]
    caption = (
        f"Paired differences in points of accuracy [{CROSSED}], {count(frame['seeds'], 'paired seed')}, "
        f"{count(frame['examples'], 'example')} a set. {VARIES}, both methods sharing each seed. p: two-sided "
        f"sign-flip test over paired seeds, not corrected for the number of comparisons{seeds_note(frame)}. P(higher): "
        f"how often a run of the one beats a run of the other. In the CSV file: MultiBERTs' bootstrap, and "
        f"at how many seeds McNemar's test alone would call the two runs different.{secondary_metrics_note(frame)}"
    )
    titles = {"points": "Difference [95 %]", **lopsided}
    if len(set(compared)) == 1:
        shown, titles = shown.drop(columns="comparison"), {**titles, "points": f"{compared[0]} [95 %]"}
    return Table("differences", "Paired differences", caption, frame, name_columns(name_values(shown), titles))


def details(frame: pd.DataFrame) -> Table:
    """Pairs, classes, ranking and groups, a column for each method."""
    cells = frame.assign(text=_intervals(frame, "value"))
    shown = name_values(pivot(cells, ["task", "model", "set", "measure", "part", "examples"], "method", "text"))
    shown = move_last(shown, "examples")
    caption = (
        f"What accuracy alone hides, in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval over "
        f"seeds, within 0 to 100]. {VARIES}; the examples are fixed. Pair consistency: the share of pairs whose "
        "original and edited half are both right. Class and group accuracy: among the examples of that class or group. "
        "Balanced accuracy: the mean of the classes, where a constant answer scores chance. "
        "AUROC: how often an example of the second class outranks one of the first, whatever the threshold. "
        "Calibration error: how far confidence lies from accuracy, 0 at best "
        f"(ECE, {BINS} bins of equal width)."
    )
    return Table("details", "Pairs, classes and groups", caption, frame, name_columns(shown))


def failures(frame: pd.DataFrame, planned: int) -> Table:
    """Runs that failed or are missing."""
    place = ["task", "model", "method", "status", "error"]
    shown = frame.fillna("").groupby(place, sort=False)["seed"].agg(lambda seeds: ", ".join(map(str, seeds)))
    shown = name_values(shown.reset_index().rename(columns={"seed": "seeds"}))
    if frame.empty:
        caption = f"No run failed and none is missing: {planned} of {planned} runs are in the tables."
    else:
        caption = (
            f"{len(frame)} of {planned} runs failed or are missing. They are in no other table, and a number that "
            "rests on fewer seeds for it says so."
        )
    return Table("failures", "Failed and missing runs", caption, frame, name_columns(shown))


def seeds(frame: pd.DataFrame) -> Table:
    """Every run on every set; for the files, too long to print."""
    shown = name_values(frame.round({"accuracy": 2, "low": 2, "high": 2}))
    caption = (
        "Accuracy of every run on every set in per cent, with the 95 % Wilson interval over its examples. "
        f"{count(frame['examples'], 'example')} a set."
    )
    return Table("seeds", "Every run", caption, frame, name_columns(shown))


def _signed_interval(mean: float, low: float, high: float) -> str:
    return DASH if pd.isna(mean) else interval(mean, low, high, sign=True)


def _intervals(frame: pd.DataFrame, column: str) -> list[str]:
    """Each mean with its interval, and with its seeds where they are not as many as most rows at its place have."""
    usual = frame.groupby(["task", "model"])["seeds"].transform("max")
    rows = zip(frame[column], frame["low"], frame["high"], frame["seeds"], usual, strict=True)
    return [interval(*row) + ("" if seeds == most else f" ({seeds} seeds)") for *row, seeds, most in rows]
