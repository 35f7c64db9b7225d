"""The page of a study's claims: of each claim all that its verdict rests on, and what would change it, in a row."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from masktune import methods
from masktune.analysis import names
from masktune.analysis.claims import changes
from masktune.analysis.claims.gates import NO_CONTROL, NO_GATES, NO_REMEDIES, NOT_RUN
from masktune.pretraining.curve import has_levelled_off
from masktune.records import canonical
from masktune.statistics.gates import PASSED
from masktune.study.design.study import Study

READING = ("alpha", "mask_rate", "fill", "reduction")  # options of Mask-tuning that are always said
COLUMNS = [
    "claim", "statement", "models", "method", "reading", "head_loss", "head_lowest", "head_highest",
    "head_levelled_off", "gates", "comparisons", "judged", "difference", "lowest", "highest", "pretrainings",
    "fewest_seeds", "seeds", "fewest_clusters", "most_clusters", "verdict", "reason", "change",
]  # fmt: skip


def page(study: Study, runs: pd.DataFrame, frame: pd.DataFrame, conclusions: pd.DataFrame) -> pd.DataFrame:
    """A row for each declared claim. `frame`: its comparisons, `conclusions`: what they come to (`claims.numbers`).

    `head_loss` is the held-out loss in nats of the language models that its runs started from, where it is known: the
    mean, the lowest and the highest of them, and the share of those trained here that had levelled off. Clusters are
    those of one set. `change` says what would change the verdict.
    """
    rows = []
    for whole in conclusions.itertuples():
        own, claim = frame[frame["claim"] == whole.claim], study.claims[whole.claim - 1]
        ran = _runs_of(runs, own)
        rows.append(
            {
                **{name: getattr(whole, name) for name in COLUMNS if name in conclusions}, "method": claim.method,
                "models": ", ".join(dict.fromkeys(own["model"])), "reading": reading(study, claim.method),
                **_heads(ran), "gates": gates(own), "pretrainings": _pretrainings(ran),
                "fewest_clusters": own["clusters"].min(), "most_clusters": own["clusters"].max(),
                "change": changes.describe(study, whole, own, frame),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _runs_of(runs: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """The finished runs that the comparisons of a claim rest on."""
    places = set(own[["model", "task"]].itertuples(index=False, name=None))
    here = [place in places for place in runs[["model", "task"]].itertuples(index=False, name=None)]
    labels = set(own["method"]) | set(own["against"])
    return runs[np.array(here, dtype=bool) & runs["label"].isin(labels) & (runs["status"] == "done")]


def reading(study: Study, label: str) -> str:
    """What a row of the grid is: for Mask-tuning its reading of the paper, and else the options it has of its own."""
    rows = ((row, variant) for row in study.grid for variant in row.variants if variant.label == label)
    return "; ".join(dict.fromkeys(_reading(row.method, variant.options, row.data_options) for row, variant in rows))


def _reading(method: str, options: dict[str, Any], data_options: dict[str, Any]) -> str:
    built = methods.build(method, **options)
    said = {name: value for name, value in built.settings().items() if name in READING} | built.options()
    given = {**said, **data_options}
    return ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in given.items()) or built.label


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# ---- the language models that the runs started from


def _heads(runs: pd.DataFrame) -> dict[str, float]:
    """The held-out loss of each language model, over all of them; NaN where none was trained here."""
    curves = [curve for text in _known(runs, "language_model") if (curve := json.loads(text)["curve"])]
    losses = [curve[-1]["loss"] for curve in curves] + _before(runs)
    if not losses:
        return dict.fromkeys(("head_loss", "head_lowest", "head_highest", "head_levelled_off"), np.nan)
    return {
        "head_loss": float(np.mean(losses)), "head_lowest": min(losses), "head_highest": max(losses),
        "head_levelled_off": float(np.mean([has_levelled_off(curve) for curve in curves])),
    }  # fmt: skip


def _before(runs: pd.DataFrame) -> list[float]:
    """The loss of each checkpoint from which some runs start as it is and others adapted: where their curves begin."""
    if not {"checkpoint", "adaptation"} <= set(runs):
        return []
    losses = []
    for _, own in runs.groupby(["checkpoint", "task"], observed=True):
        as_it_is = own["adaptation"] == canonical(None)
        curves = [json.loads(text)["curve"] for text in _known(own[~as_it_is], "language_model")]
        losses += [curve[0]["loss"] for curve in curves[:1] if curve and as_it_is.any()]
    return losses


def _pretrainings(runs: pd.DataFrame) -> int:
    """How many pre-trainings of a model the runs start from, at most; 0 without runs."""
    if runs.empty:
        return 0
    if "pretraining" not in runs:
        return 1
    return int(runs.groupby("model", observed=True)["pretraining"].nunique().max())


def _known(runs: pd.DataFrame, column: str) -> Iterable[str]:
    return runs[column].dropna().unique() if column in runs else ()


# ---- the gates of a claim


def gates(own: pd.DataFrame) -> str:
    """What the gates say of the comparisons of one claim together."""
    ran = own[own["seeds"] > 0]
    if own["trained"].isin([NO_GATES]).all():
        return NO_GATES
    if ran.empty:
        return NOT_RUN
    said = [f"trained on {int(ran['trained'].eq('both').sum())} of {len(ran)}"]
    asked = ran[ran["control"] != ""]
    said += [_control(asked["control"]), _remedies(asked["remedies"])] if len(asked) else []
    return "; ".join(said)


def _control(found: pd.Series) -> str:
    if found.isin([NO_CONTROL, NOT_RUN]).all():
        return f"control: {found.iloc[0]}"
    return f"control passed on {int(found.eq(PASSED).sum())} of {len(found)}"


def _remedies(found: pd.Series) -> str:
    if found.isin([NO_REMEDIES, NOT_RUN]).all():
        return f"remedies: {found.iloc[0]}"
    counts = found[~found.isin([NO_REMEDIES, NOT_RUN])].str.extract(r"(\d+) of (\d+)").astype(int).sum()
    return f"remedies gain in {counts[0]} of {counts[1]}"


def model_titles(models: str) -> str:
    """`BERT, RoBERTa` of the names of models, as `models` of a page has them."""
    return ", ".join(map(names.model, models.split(", "))) if models else ""
