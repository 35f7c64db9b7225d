"""Which explanation of the lost accuracy holds: what each gives back when the part that it blames is taken away.

Three parts of Mask-tuning are blamed. Each has remedies, variants that differ from the study's main row in one
setting, and are compared with it on the same seeds.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from masktune.analysis import names
from masktune.analysis.ablations.settings import SETTINGS, has_value, short_title, value_text
from masktune.analysis.answers import Block
from masktune.analysis.comparisons import numbers as comparisons
from masktune.analysis.formatting import number
from masktune.analysis.gradients.text import two_decimals

WEIGHT, OPPOSITION, TEXTS = "the weight of the gradient", "the opposition of the gradients", "the wrong texts"
# What is blamed -> settings and values that take it away.
REMEDIES = {
    WEIGHT: (("reduction", "maskable"), ("reduction", "equalised"), ("alpha", 0.05)),
    OPPOSITION: (("encoder", "separate"),),
    TEXTS: (("fill", "original"),),
}
NOTICEABLE = 1.0  # points: less than that is no loss that wants an explanation
OPPOSED = -0.1  # a median cosine from which on the two gradients oppose each other
ENOUGH = 0.5  # of what is lost: so much an explanation has to give back


def given_back(blocks: Iterable[Block], variants: pd.DataFrame) -> pd.DataFrame:
    """Each remedy minus the main row on every set, in points, with its 95 % interval over paired seeds x examples.

    Columns: those of `comparisons.numbers.contrasts` (`first` the main row, `second` the remedy), `blamed`, `remedy` in
    words, and `lost`, fine-tuning minus the main row on that set. `variants`: `ablations.numbers.variants`.
    """
    blocks, rows = list(blocks), []
    for (task, model), here in variants.groupby(["task", "model"], sort=False):
        own = [block for block in blocks if (block.place["task"], block.place["model"]) == (task, model)]
        base = here[here["base"]]
        lost = -base.set_index("set")["difference"]
        for blamed, label, remedy in _remedies(here):
            contrasts = comparisons.contrasts(own, [(base["label"].iloc[0], label)])
            rows.append(contrasts.assign(blamed=blamed, remedy=remedy, lost=contrasts["set"].map(lost)))
    if not rows:
        return pd.DataFrame(columns=[*comparisons.CONTRASTS, "blamed", "remedy", "lost"])
    return pd.concat(rows, ignore_index=True)


def _remedies(here: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(what is blamed, label, words) of each variant that differs from the main row in a remedy alone."""
    if not here["base"].any():
        return []
    base, rows = here[here["base"]].iloc[0], here.drop_duplicates("label")
    found = []
    for blamed, remedies in REMEDIES.items():
        for setting, value in remedies:
            alike = rows[setting] == value
            for other in (*SETTINGS, "adaptation", "data_options"):
                if other != setting:
                    alike &= has_value(rows[other], base[other])
            words = f"{short_title(setting)} {value_text(value)}"
            found += [(blamed, label, words) for label in rows.loc[alike & ~rows["base"], "label"]]
    return found


def winners(frame: pd.DataFrame, cosines: pd.Series) -> list[str]:
    """Which explanation won, for each task and model: in distribution, then out of it.

    `frame`: `given_back`; `cosines`: the median cosine of the two gradients by (task, model). The best remedy speaks
    for its explanation; the one wins that gives back most, if that is ENOUGH of what is lost and its intervals lie
    above zero on half of the sets. Opposition cannot win where the cosines show none.
    """
    sentences = []
    for (task, model, kind), rows in frame.groupby(["task", "model", "kind"], sort=False) if len(frame) else ():
        axis = f"{names.task(task)}, {names.model(model)}, {names.AXES[kind]}"
        lost = rows.drop_duplicates("set")["lost"].mean()
        if lost < NOTICEABLE:
            sentences.append(f"{axis}: {_points(-lost)} against fine-tuning, so nothing is lost that wants explaining.")
            continue
        best = _best(rows)
        cosine = cosines.get((task, model), float("nan"))
        sentences.append(
            f"{axis}: {number(lost)} points are lost. Given back: {_told(best)}. {_verdict(best, lost, cosine)}"
        )
    return sentences or ["No variant of this study takes away one of the three parts that are blamed."]


def _best(rows: pd.DataFrame) -> pd.DataFrame:
    """For each explanation the remedy that gives back most: points on the mean of the sets, sets, clear ones."""
    by_remedy = rows.assign(clear=rows["low"] > 0).groupby(["blamed", "remedy"], sort=False)
    means = by_remedy.agg(back=("difference", "mean"), clear=("clear", "sum"), sets=("set", "size")).reset_index()
    return means.sort_values("back", ascending=False, kind="stable").drop_duplicates("blamed")


def _told(best: pd.DataFrame) -> str:
    return "; ".join(
        f"{number(row.back, sign=True)} with {row.remedy} ({row.blamed}; interval above zero on {row.clear} of "
        f"{row.sets} {'set' if row.sets == 1 else 'sets'})"
        for row in best.itertuples()
    )


def _verdict(best: pd.DataFrame, lost: float, cosine: float) -> str:
    """Which explanation won, what else stands in its way, which were not tried, and what the cosine says."""
    opposed = cosine <= OPPOSED
    allowed = best[(best["blamed"] != OPPOSITION) | opposed]
    enough = allowed[(allowed["back"] >= ENOUGH * lost) & (2 * allowed["clear"] >= allowed["sets"])]
    said = ["**No explanation won**: none gives back half of it with intervals above zero on half of the sets."]
    if len(enough):
        said = [f"**{enough['blamed'].iloc[0].capitalize()} won.**"]
    untried = [blamed for blamed in REMEDIES if blamed not in set(best["blamed"])]
    if untried:
        said.append(f"Not tried here: {' and '.join(untried)}.")
    if not pd.isna(cosine):
        shown = "oppose each other" if opposed else "do not oppose each other"
        said.append(f"The gradients {shown}: their median cosine is {two_decimals(cosine)}.")
    return " ".join(said)


def _points(value: float) -> str:
    return f"{number(value, sign=True)} points"
