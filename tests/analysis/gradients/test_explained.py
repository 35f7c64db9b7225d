"""Which explanation won: what remedies give back against plain arithmetic, and the verdict on frames made by hand."""

import pandas as pd
import pytest
from synthetic_study import METHODS, make

from masktune.analysis.ablations.numbers import variants
from masktune.analysis.answers import blocks
from masktune.analysis.gradients.explained import OPPOSITION, TEXTS, WEIGHT, given_back, winners

REMEDIES = {
    "clean": (TEXTS, {"fill": "original"}),
    "averaged": (WEIGHT, {"reduction": "maskable"}),
    "separate": (OPPOSITION, {"encoder": "separate"}),
}


@pytest.fixture(scope="module")
def study():
    rows = [(label, "mask_tuning", options, 0.6, 0.05) for label, (_, options) in REMEDIES.items()]
    rows.append(("two at once", "mask_tuning", {"fill": "original", "reduction": "maskable"}, 0.6, 0.05))
    runs, predictions = make(tasks=("inference",), seeds=3, methods=[*METHODS, *rows])
    runs.loc[~runs["label"].isin([row[0] for row in METHODS]), "part"] = "ablation"
    return runs, blocks(runs, predictions)


def test_a_remedy_differs_in_one_setting_and_is_compared_with_the_main_row_on_the_same_seeds(study):
    runs, found = study
    frame = given_back(found, variants(found, runs))
    assert dict(zip(frame["second"], frame["blamed"], strict=True)) == {name: row[0] for name, row in REMEDIES.items()}
    for row in frame.itertuples():
        right = runs.pivot(index="seed", columns="label", values=f"accuracy/{row.set}")
        assert row.difference == pytest.approx(100 * (right[row.second] - right["Mask-tuning"]).mean())
        assert row.lost == pytest.approx(100 * (right["fine-tuning"] - right["Mask-tuning"]).mean())


def frame(kind="in_distribution", lost=10.0, **back):
    """A row on one set for each explanation: points that it gives back, and the low end of their interval."""
    names = {"weight": WEIGHT, "opposition": OPPOSITION, "texts": TEXTS}
    place = {"task": "inference", "model": "bert", "set": "validation", "kind": kind, "lost": lost}
    rows = [
        {**place, "blamed": names[name], "remedy": name, "difference": points, "low": low}
        for name, (points, low) in back.items()
    ]
    return pd.DataFrame(rows)


COSINE = pd.Series({("inference", "bert"): -0.01})


@pytest.mark.parametrize(
    ("rows", "cosine", "said"),
    [
        (frame(weight=(8, 3), texts=(2, 1), opposition=(1, -1)), -0.01, "**The weight of the gradient won.**"),
        (frame(weight=(2, 1), texts=(6, 2), opposition=(1, -1)), -0.01, "**The wrong texts won.**"),
        (frame(weight=(8, -3), texts=(2, 1), opposition=(1, -1)), -0.01, "**No explanation won**"),
        (frame(weight=(4, 3), texts=(2, 1), opposition=(1, -1)), -0.01, "**No explanation won**"),
        (frame(weight=(2, 1), texts=(2, 1), opposition=(9, 5)), -0.01, "**No explanation won**"),
        (frame(weight=(2, 1), texts=(2, 1), opposition=(9, 5)), -0.4, "**The opposition of the gradients won.**"),
        (frame(weight=(8, 3)), -0.01, "Not tried here: the opposition of the gradients and the wrong texts."),
        (frame(lost=0.4, weight=(8, 3)), -0.01, "nothing is lost that wants explaining"),
    ],
)
def test_an_explanation_wins_that_gives_back_half_clearly_and_opposition_only_where_it_was_measured(rows, cosine, said):
    (sentence,) = winners(rows, COSINE.replace(-0.01, cosine))
    assert said in sentence and sentence.startswith("Inference, BERT, in distribution: ")


def test_each_axis_has_its_own_sentence_and_no_cosine_is_no_statement():
    both = pd.concat([frame(weight=(8, 3)), frame("out_of_distribution", weight=(1, 0))])
    inside, outside = winners(both, pd.Series(dtype=float))
    assert "in distribution: 10.0 points are lost. Given back: +8.0 with weight" in inside and "cosine" not in inside
    assert "out of distribution" in outside and "No explanation won" in outside


def test_without_remedies_it_says_so(study):
    runs, found = study
    nothing = given_back(found, variants(found, runs[runs["label"].isin(["fine-tuning"])]))
    assert nothing.empty and winners(nothing, COSINE)[0].startswith("No variant of this study")
