"""Numbers as text, and the phrases that captions share."""

from collections.abc import Sequence

import pandas as pd

from masktune.analysis.answers import LOPSIDED

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"  # where there is nothing to show
CROSSED = "95 % t interval over paired seeds x clusters of examples"
VARIES = "Seeds vary the initialisation of the head, the order of the batches, dropout and the masking"


def number(value: float, sign: bool = False) -> str:
    """One decimal, a real minus sign, `+` where asked for; never a negative zero."""
    value = round(float(value), 1) + 0.0
    return f"{value:{'+' if sign and value else ''}.1f}".replace("-", MINUS)


def interval(mean: float, low: float, high: float, sign: bool = False) -> str:
    """`88.1 [87.0, 89.2]`, with a sign where differences are meant; the mean alone where there is no interval."""
    text = number(mean, sign)
    return text if pd.isna(low) else f"{text} [{number(low, sign)}, {number(high, sign)}]"


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
    """What a caption says where the seeds are too few for a test; empty where they suffice."""
    untested = frame[frame["p"].isna()]
    notes = {
        f"{row.seeds} seed{'s' * (row.seeds != 1)}: the sign-flip test cannot go below {row.smallest_p:.4g}"
        for row in untested[["seeds", "smallest_p"]].itertuples()
    }
    return f" ({'; '.join(sorted(notes))})" if notes else ""


def secondary_metrics(balanced: float, auroc: float, constant: float = float("nan"), sign: bool = False) -> str:
    """What follows the accuracy (with `sign`: the difference of accuracies) on a lopsided set; empty on others."""
    if pd.isna(balanced):
        return ""
    values = {"balanced": balanced, "AUROC": auroc, "constant": constant}
    return "; " + ", ".join(f"{name} {number(value, sign)}" for name, value in values.items() if pd.notna(value))


def secondary_metrics_note(frame: pd.DataFrame) -> str:
    """What a caption says of lopsided sets, where the table has any."""
    if not frame["balanced"].notna().any():
        return ""
    return (
        f" Where the commonest answer scores more than chance by over {100 * LOPSIDED:g} points, balanced accuracy "
        "(the mean over classes) and AUROC (of two classes) are shown as well: there accuracy follows how often an "
        "answer is given. Their intervals, where shown, are 95 % t intervals over seeds, the examples being fixed."
    )


def join_words(words: Sequence[str]) -> str:
    """The words as in "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
