"""What was measured, as tables: CSV with one number a row, Markdown for reading. Frames in, tables out."""

from typing import Any

import numpy
import pandas

from benchmarks.agreement import processors as elsewhere
from benchmarks.agreement.fine_tuning import OURS, STOCK
from masktune.analysis.formatting import interval, number
from masktune.analysis.table import Table, name_columns, name_values

PLACE = ["study", "model", "task", "train_examples", "set"]
EXACT = 0.95
DIFFERS = (
    "Both sides start from one checkpoint and have the same classifier (transformers' own class), texts, cut, batch "
    "size, number of steps, AdamW with linear decay, precision and seeds. What differs is drawn: the weights of the "
    "head, and of a pooler where the checkpoint has none (by the same initialisation, from another generator), the "
    "order of the batches (batches of like length, where the study asks for them, are grouped by other code) and the "
    "masks of dropout. Seeds are therefore no pairs; where they start from several pre-trainings, both sides start "
    "from the same ones, so that the interval is rather too wide."
)


def fine_tuning(rows: pandas.DataFrame) -> Table:
    """Our accuracy, a stock Trainer's, and the difference of the two means with Welch's 95 % interval."""
    found = [
        {**dict(zip(PLACE, place, strict=True)), **_difference(group)}
        for place, group in rows.groupby(PLACE, sort=False)
        if set(group["trainer"]) == {OURS, STOCK}
    ]
    frame = pandas.DataFrame(found)
    shown = name_values(frame[["model", "task", "set", "examples", "train_examples", "steps", "seeds"]])
    shown[OURS] = [f"{mean:.2f} (sd {sd:.2f})" for mean, sd in zip(frame["ours"], frame["ours_sd"], strict=True)]
    shown[STOCK] = [f"{mean:.2f} (sd {sd:.2f})" for mean, sd in zip(frame["stock"], frame["stock_sd"], strict=True)]
    ends = zip(frame["difference"], frame["low"], frame["high"], strict=True)
    shown["Difference [95 %]"] = [interval(*row, sign=True) for row in ends]
    inside = int(((frame["low"] <= 0) & (frame["high"] >= 0)).sum())
    caption = (
        f"Accuracy in per cent: mean over seeds (sd: of a seed); masktune minus transformers in points, with Welch's "
        f"95 % t interval over seeds, the examples being fixed. {inside} of {len(frame)} intervals hold 0; of true "
        f"agreement one in twenty would not. {DIFFERS}"
    )
    shown = name_columns(shown, {"train_examples": "Train examples", "steps": "Steps"})
    return Table("fine_tuning", "Fine-tuning by masktune and by a stock Trainer", caption, frame, shown)


def _difference(rows: pandas.DataFrame) -> dict[str, Any]:
    """Welch's interval of ours minus theirs; empty where a side has one seed."""
    from scipy.stats import ttest_ind

    sides = [rows.loc[rows["trainer"] == name, "accuracy"].to_numpy() for name in (OURS, STOCK)]
    mine, theirs = sides
    steps = sorted(set(rows["steps"]))
    low = high = numpy.nan
    if min(map(len, sides)) > 1 and any(side.std() > 0 for side in sides):
        low, high = ttest_ind(mine, theirs, equal_var=False).confidence_interval(EXACT)
    return {
        "examples": int(rows["examples"].iloc[0]), "steps": " and ".join(map(str, steps)),
        "seeds": " and ".join(map(str, dict.fromkeys(map(len, sides)))),
        "devices": ", ".join(sorted(set(rows["device"] + " " + rows["precision"]))),
        "ours": mine.mean(), "ours_sd": mine.std(ddof=1) if len(mine) > 1 else numpy.nan,
        "stock": theirs.mean(), "stock_sd": theirs.std(ddof=1) if len(theirs) > 1 else numpy.nan,
        "difference": mine.mean() - theirs.mean(), "low": low, "high": high,
    }  # fmt: skip


def same_start(frame: pandas.DataFrame) -> Table:
    """Whether both sides have the same weights after an epoch from one head in one order."""
    shown = name_values(frame[["model", "task", "seed", "set", "examples", "train_examples", "steps", "device"]])
    shown["Weights the same to the bit"] = ["yes" if same else "no" for same in frame["same_weights"]]
    shown["Largest difference of a logit"] = [f"{value:.2g}" for value in frame["largest_difference"]]
    shown["Standard deviation of the logits"] = [f"{value:.2g}" for value in frame["spread"]]
    caption = (
        "One epoch by masktune, without its accelerators for a CPU, and by a stock Trainer that begins with masktune's "
        "head and reads masktune's batches; dropout is on and drawn from one seed."
    )
    shown = name_columns(shown, {"train_examples": "Train examples", "steps": "Steps", "device": "Device"})
    return Table("same_start", "Both Trainers from the same start", caption, frame, shown)


def masking(rows: pandas.DataFrame) -> Table:
    """Shares of tokens with exact binomial intervals, ours and transformers'."""
    from scipy.stats import binomtest

    ends = [
        binomtest(hits, trials).proportion_ci(EXACT, method="exact") if trials else (numpy.nan, numpy.nan)
        for hits, trials in zip(rows["hits"], rows["trials"], strict=True)
    ]
    low, high = zip(*ends, strict=True)
    frame = rows.assign(value=rows["hits"] / rows["trials"].where(rows["trials"] > 0), low=low, high=high)
    texts = [
        f"{100 * row.value:.3f} [{100 * row.low:.3f}, {100 * row.high:.3f}] of {row.trials:,}, expected "
        f"{100 * row.expected:.3f}"
        for row in frame.itertuples()
    ]
    wide = frame.assign(text=texts).pivot_table(
        index=["mask_rate", "share"], columns="side", values="text", aggfunc="first", sort=False
    )
    shown = wide[list(dict.fromkeys(frame["side"]))].reset_index().rename_axis(columns=None)
    shown = shown.rename(columns={"mask_rate": "Rate", "share": "Share"})
    inside = int(((frame["low"] <= frame["expected"]) & (frame["expected"] <= frame["high"])).sum())
    caption = (
        f"Shares in per cent [exact binomial 95 % interval] of the tokens counted, and what the description of each "
        f"side makes one expect; {inside} of {len(frame)} intervals hold it (of true ones one in twenty would not). "
        "Chosen tokens become the mask token (80 %), a random one (10 %) or stay (10 %), as in BERT. Both sides choose "
        "among the same tokens, all but special ones and padding. They differ in the random token: ours is an ordinary "
        "one, transformers' any of the vocabulary, special ones included."
    )
    return Table("masking", "Masking by masktune and by transformers", caption, frame, shown)


def scores(frame: pandas.DataFrame) -> Table:
    """How many numbers of the tables were computed again, and by how much they differ."""
    shown = name_values(frame.drop(columns="largest_difference"))
    shown["Largest difference (points)"] = [f"{value:.1g}" for value in frame["largest_difference"]]
    shown = shown.rename(columns={name: name.capitalize() for name in shown})
    caption = (
        "Group accuracy (HANS and its counterpart of the embedded world: heuristic x label) and pair consistency "
        "(sets of edited reviews) of the tables of each study, beside the same computed from stored predictions by "
        "code that takes nothing from masktune. Missing: numbers that only one of the two has. The tables hold six "
        "digits."
    )
    return Table("scores", "Scores computed a second time", caption, frame, shown)


def processors(rows: pandas.DataFrame) -> Table:
    """Each mean over seeds on both kinds of processor, and each lead over fine-tuning."""
    frame = elsewhere.summarise(rows)
    shown = name_values(frame[["model", "task", "set", "method", "seeds"]])
    shown["Accuracy"] = [f"{number(row.here)}, {number(row.there)}" for row in frame.itertuples()]
    shown["A seed is off by"] = list(map(number, frame["a_seed"]))
    for title, name in _MOVED.items():
        ends = zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"], strict=True)
        shown[title] = ["" if pandas.isna(row[0]) else interval(*row, sign=True) for row in ends]
    made = [" and ".join(sorted(set(rows[name].dropna()))) for name in ("processor", "other_processor")]
    runs = rows.groupby([name for name in elsewhere.KEY if name not in ("set", "kind")])
    same = int(runs.apply(lambda run: (run["here"] == run["there"]).all(), include_groups=False).sum())
    inside = int(((frame["moved_low"] <= 0) & (frame["moved_high"] >= 0)).sum())
    caption = (
        f"The stored runs, made on {made[0]}, and the same runs on {made[1]}: accuracy in per cent, differences in "
        f"points, means over seeds [95 % t interval over seeds]. Of {len(runs)} runs {same} have the same accuracy on "
        f"every set. {inside} of {len(frame)} means moved by an interval that holds 0; of chance alone one in twenty "
        "would not, and seeds that begin alike differ less than new ones. Leads are over fine-tuning of the same seeds."
    )
    return Table("processors", "The same seeds on another kind of processor", caption, frame, name_columns(shown))


_MOVED = {
    "The mean is off by [95 %]": "moved",
    "Ahead of fine-tuning, stored [95 %]": "here_ahead",
    "Ahead of fine-tuning, again [95 %]": "there_ahead",
}


def verdicts(rows: pandas.DataFrame) -> Table:
    """The verdict on each declared comparison on both kinds of processor."""
    shown = name_values(rows[["claim", "model", "task", "set", "method"]]).rename(columns={"claim": "Claim"})
    for title, side in (("Stored", elsewhere.HERE), ("Again", elsewhere.THERE)):
        told = zip(rows[f"difference_{side}"], rows[f"verdict_{side}"], strict=True)
        shown[title] = [
            verdict if pandas.isna(points) else f"{number(points, sign=True)}, {verdict}" for points, verdict in told
        ]
    same = int((rows["verdict_here"] == rows["verdict_there"]).sum())
    caption = (
        f"Difference in points and verdict of each declared comparison, as stored and on another kind of processor: "
        f"{same} of {len(rows)} verdicts are the same."
    )
    return Table("verdicts", "Verdicts on another kind of processor", caption, rows, name_columns(shown))
