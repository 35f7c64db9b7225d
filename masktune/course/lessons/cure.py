"""Lesson C7, "Does Mask-tuning cure the cue?": the frame of a design, and checks that look at the form alone.

No check knows what came out: each tries what a student wrote on made-up runs, on which the new method wins, loses, did
not train, or is read on a set that cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from masktune.course.declaring import parse
from masktune.course.grading import NotYetError, check_of, expect
from masktune.course.lessons.make_it_win import LESS, MORE, NEITHER
from masktune.errors import MaskTuneError
from masktune.statistics.crossed import paired_difference
from masktune.statistics.multiplicity import correct
from masktune.statistics.tests import sign_flip
from masktune.study.design.claims import LEVEL, smallest_p
from masktune.study.design.comparisons import comparisons
from masktune.study.design.grid import GridRow
from masktune.study.design.study import Study

BASELINE, METHOD, SETS = "fine-tuning", "Mask-tuning", ("contrast", "counterfactual")
DID_NOT_TRAIN, CONTROL_FAILED = "did not train", "control failed"
MOST_PASSES = 240  # over the train set, of all runs together: about two minutes
Right = dict[str, dict[str, numpy.ndarray]]

FRAME = """\
name = "{name}"
question = "{question}"
data = "embedded"
tasks = ["sentiment"]
seeds = {seeds}

[training]
epochs = {passes}
learning_rate = 2e-3
batch_size = 16
warmup_ratio = 0.1
max_length = 64
sampling = "random"

[models.bert]
checkpoint = "embedded:bert"

[[grid]]
label = "fine-tuning"
method = "fine_tuning"
[grid.data_options]
cue_rate = {cue_rate}

[[grid]]
label = "Mask-tuning"
method = "mask_tuning"
{mask_tuning}
[grid.data_options]
cue_rate = {cue_rate}

{control}

{gates}

{claims}
"""


# ---- the design


@check_of("my_design")
def check_design(text: str) -> None:
    """A design that can answer its question, whatever the answer is."""
    expect(isinstance(text, str), "the design is a text")
    for number, line in enumerate(text.splitlines(), 1):
        expect("..." not in line and "Ellipsis" not in line, f"line {number} still has dots: {line!r}")
    try:
        study = parse(text)
    except MaskTuneError as error:
        twice = ". A control on the reviews of the baseline is the baseline again" if "same cells" in str(error) else ""
        expect(False, f"this is no design yet: {error}{twice}")
    words = study.question.split()
    expect(study.question.endswith("?") and len(words) >= 6, f"{study.question!r}: ask it as a whole question")
    rows = {row.label: row for row in study.grid}
    _check_arms(study, rows)
    _check_control(study, rows)
    _check_claims(study)
    passes = sum(len(cell.seeds) * cell.training.epochs for cell in study.cells)
    expect(
        passes <= MOST_PASSES,
        f"{passes:g} passes over the train set; at most {MOST_PASSES}, so that it ends while you wait: fewer of them "
        "a run, or fewer seeds",
    )


def _check_arms(study: Study, rows: Mapping[str, GridRow]) -> None:
    methods = {label: rows[label].method if label in rows else None for label in (BASELINE, METHOD)}
    expect(
        methods == {BASELINE: "fine_tuning", METHOD: "mask_tuning"},
        f"the grid needs a row {BASELINE!r} and a row {METHOD!r}, each with its method",
    )
    rates = [rows[label].data_options.get("cue_rate", 0.99) for label in (BASELINE, METHOD)]
    expect(
        rates[0] == rates[1], f"cue rates {rates[0]} and {rates[1]}: two changes at once; give both the same reviews"
    )
    expect(rates[0] > 0.5, f"at a cue rate of {rates[0]} the genre does not point to the label: nothing to be cured of")
    training = {cell.label: cell.training for cell in study.cells}
    expect(training[BASELINE] == training[METHOD], "both arms are trained alike, but for the method")
    fixed = ("batch_size", "warmup_ratio", "max_length", "sampling")
    found = [getattr(study.training, name) for name in fixed]
    expect(found == [16, 0.1, 64, "random"], f"{', '.join(fixed)} are those of fine_tune: leave them as they are")


def _check_control(study: Study, rows: Mapping[str, GridRow]) -> None:
    expect(study.gates is not None, "there is no [gates] table: when does a row count as trained?")
    assert study.gates is not None
    least = study.gates.trained.accuracy["sentiment"]
    expect(
        50 < least <= 100,
        f"accuracy = {least:g} in [gates]: per cent are meant, and a coin has 50; below which accuracy in validation "
        "has a row not learned its task?",
    )
    control = study.gates.control
    expect(
        control is not None,
        "[gates] has no control: if Mask-tuning does not help, how does a reader know that anything could?",
    )
    assert control is not None
    expect(
        1 <= control.gain <= 100,
        f"gain = {control.gain:g} in [gates]: points are meant; how far must the control be ahead on a set, before you "
        "believe that the set can tell?",
    )
    expect(control.against == BASELINE, f"the control is held against {BASELINE!r}, not {control.against!r}")
    row = rows[control.label]
    expect(
        row.method == "fine_tuning" and row.data_options.get("cue_rate") == 0.5,
        f"{control.label!r} is no control: it should be plain fine-tuning on reviews whose genre says nothing, at the "
        "cue rate 0.5 (C1)",
    )


def _check_claims(study: Study) -> None:
    expect(len(study.claims) == 1, f"{len(study.claims)} claims; one is what this study is about")
    claim = study.claims[0]
    expect(
        (claim.method, claim.against, claim.test) == (METHOD, BASELINE, "superiority"),
        f'the claim is of {METHOD!r} against {BASELINE!r}, with test = "superiority"; an estimate claims nothing',
    )
    places = comparisons(study, claim)
    expect(
        {at.set for at in places} <= set(SETS),
        f"the genre misleads in {' and '.join(SETS)}; yours are {', '.join(at.set for at in places)}",
    )
    seeds = len(study.seeds)
    lowest = len(places) * smallest_p(seeds)
    expect(
        lowest <= LEVEL,
        f"{seeds} seeds and {len(places)} comparisons: after Holm no p value can be below {lowest:.3g}, so whatever "
        "comes out would be 'cannot tell'; more seeds or fewer comparisons",
    )


# ---- the gates and the report, on made-up runs


def made_up(seeds: int = 7, examples: int = 40, **accuracy: Sequence[float]) -> Right:
    """Right or wrong [seeds, examples] of three arms by set: so many per cent in validation, contrast, counterfactual.

    Seeds differ by one example more or less, and every arm errs on the last examples first.
    """
    arms = {"baseline": BASELINE, "method": METHOD, "control": f"{BASELINE}, cue-free"}
    sets = ("validation", *SETS)
    return {
        label: {
            name: numpy.array(
                [numpy.arange(examples) < round(examples * percent / 100) + each % 2 for each in range(seeds)]
            )
            for name, percent in zip(sets, accuracy[arm], strict=True)
        }
        for arm, label in arms.items()
    }


SAMPLE = FRAME.format(
    name="sample",
    question="Does Mask-tuning hold up better than fine-tuning where the genre misleads?",
    seeds=7,
    passes=6,
    cue_rate=0.9,
    mask_tuning="",
    control='[[grid]]\nlabel = "fine-tuning, cue-free"\nmethod = "fine_tuning"\ndata_options = { cue_rate = 0.5 }',
    gates="""\
[gates]
declared = "2026-11-26"
trained = { accuracy = 75, loss = 1 }
control = { label = "fine-tuning, cue-free", against = "fine-tuning", gain = 25 }""",
    claims="""\
[[claims]]
method = "Mask-tuning"
against = "fine-tuning"
kind = "out_of_distribution"
test = "superiority\"""",
)
_GAIN = made_up(baseline=(90, 20, 20), method=(85, 60, 60), control=(85, 80, 80))
_LOSS = made_up(baseline=(90, 60, 60), method=(85, 20, 20), control=(85, 95, 95))
_UNTRAINED = made_up(baseline=(90, 20, 20), method=(70, 80, 80), control=(85, 80, 80))
_BLIND = made_up(baseline=(90, 20, 20), method=(85, 60, 20), control=(85, 80, 40))


def _changed(arm: str, seeds: slice, answer: bool) -> Right:
    """The made-up runs in which Mask-tuning gains, but some seeds of an arm answer contrast all right or all wrong."""
    right = made_up(baseline=(90, 20, 20), method=(85, 60, 60), control=(85, 20, 80))
    if arm == METHOD:
        right[f"{BASELINE}, cue-free"] = _GAIN[f"{BASELINE}, cue-free"]
    right[arm]["contrast"][seeds] = answer
    return right


_UNSURE_CONTROL = _changed(f"{BASELINE}, cue-free", slice(3), True)
_UNSURE = _changed(METHOD, slice(0, 7, 2), False)


class _Shown(dict[str, dict[str, numpy.ndarray]]):
    """Made-up runs as a student's function sees them: their control has another label than the student's."""

    def __missing__(self, label: str) -> dict[str, numpy.ndarray]:
        raise NotYetError(
            f"the made-up runs of this check have no row {label!r}, but {', '.join(self)}; read the label of the "
            "control from study.gates.control.label"
        )


@check_of("gates_of")
def check_gates(gates_of: Callable[[Study, Right], Mapping[str, bool]]) -> None:
    """Which arms trained and which sets can tell, by the numbers that the study declares."""
    study, names = parse(SAMPLE), (BASELINE, METHOD, *SETS)
    cases = (
        (
            _GAIN,
            (),
            "75 % are declared and both arms have 85 or more in validation (not 0.85); the control gains 60",
        ),
        (
            _UNTRAINED,
            (METHOD,),
            "70 % in validation where 75 are declared; what it has on contrast does not count here",
        ),
        (_BLIND, ("counterfactual",), "the control gains 20 points there, and 25 are declared"),
        (_UNSURE_CONTROL, ("contrast",), "the control gains 34 points on average, but its interval holds 0"),
    )
    for right, closed, reason in cases:
        found = gates_of(study, _Shown(right))
        expect(set(found) == set(names), f"give True or False for each of {names}; yours has {tuple(found)}")
        for name in names:
            expect(
                isinstance(found[name], bool | numpy.bool_),
                f"{name!r} should be True or False; yours is {found[name]!r}. did_train gives a pair, of which the "
                'first is meant; can_tell gives a word, to be compared with "passed"',
            )
            expect(bool(found[name]) == (name not in closed), f"on made-up runs {name!r} is not right: {reason}")


@check_of("report")
def check_report(report: Callable[[Study, Right], Sequence[Mapping[str, Any]]]) -> None:
    """A row for each declared comparison: difference, interval, corrected p, and the verdict that these permit."""
    study = parse(SAMPLE)
    cases = (
        (_GAIN, (MORE, MORE), "Mask-tuning is ahead with every seed"),
        (_LOSS, (LESS, LESS), "Mask-tuning is behind with every seed, and a result like that is told like any other"),
        (_UNSURE, (NEITHER, MORE), "on contrast four seeds are behind and three ahead"),
        (_UNTRAINED, (DID_NOT_TRAIN,) * 2, "a row that did not train says nothing about robustness"),
        (_BLIND, (MORE, CONTROL_FAILED), "on counterfactual not even the control gains enough: that set cannot tell"),
    )
    for right, verdicts, reason in cases:
        rows = list(report(study, _Shown(right)))
        expect(
            all(isinstance(row, Mapping) for row in rows),
            "give a list with a dictionary for each comparison; pandas makes a table of it below",
        )
        named = [row.get("set") for row in rows]
        expect(
            named == list(SETS),
            f"one row for each declared set, in the order of {SETS}; yours are {named}. The claim of these made-up "
            "runs names a kind, so its `sets` is empty",
        )
        for row, verdict, p in zip(rows, verdicts, _corrected(right), strict=True):
            missing = [key for key in ("difference", "low", "high", "corrected p", "verdict") if key not in row]
            expect(not missing, f"a row needs {missing}; yours has {tuple(row)}")
            _check_numbers(row, right)
            expect(
                abs(row["corrected p"] - p) < 1e-9,
                f"'corrected p' on {row['set']} is {p:.4g} in made-up runs, by Holm over the two comparisons; yours is "
                f"{row['corrected p']:.4g}",
            )
            expect(
                row["verdict"] == verdict,
                f"on made-up runs the verdict on {row['set']} is {verdict!r}, yours is {row['verdict']!r}: {reason}",
            )


def _corrected(right: Right) -> numpy.ndarray:
    differences = (right[METHOD][name].sum(axis=1) - right[BASELINE][name].sum(axis=1) for name in SETS)
    return correct(numpy.array([sign_flip(each) for each in differences]), "headline")


def _check_numbers(row: Mapping[str, Any], right: Right) -> None:
    one, other = right[BASELINE][row["set"]], right[METHOD][row["set"]]
    estimate = paired_difference(one, other, numpy.arange(one.shape[1])).estimate()
    expected = {"difference": estimate.mean, "low": estimate.low, "high": estimate.high}
    for name, share in expected.items():
        expect(
            abs(row[name] - 100 * share) < 0.01,
            f"{name!r} on {row['set']} is {100 * share:.2f} points in made-up runs, yours is {row[name]:.2f}",
        )
