"""RESULTS.md: all studies as one report on reproducibility, in the form of the ML Reproducibility Challenge.

What needs judgement (what was easy, what was hard, what was not done) is text with numbers from what is stored.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from masktune import MaskTuning, data
from masktune.analysis import names
from masktune.analysis.claims.gates import NO_CONTROL, NO_GATES
from masktune.analysis.claims.paper import CLAIMS
from masktune.analysis.claims.verdicts import is_closed
from masktune.analysis.formatting import DASH, interval, join_words, number
from masktune.analysis.summary import findings, provision
from masktune.analysis.summary.records import Record
from masktune.data.catalogue import CARDS
from masktune.pretraining import curve

COMMAND = "python -m masktune summary"


def write(records: Sequence[Record], agreement: Sequence[str] = ()) -> str:
    """The whole page. `agreement` are the lines that hold the library against what others wrote."""
    sections: dict[str, list[str]] = {
        "Scope of reproducibility": scope(),
        "Method": method(records),
        "Results": results(records),
        **({"Is the library right?": list(agreement)} if agreement else {}),
        "What was easy": easy(),
        "What was hard": hard(records),
        "What we could not do": not_done(records),
        "Deviations": DEVIATIONS,
        "Contamination": contamination(records),
        "Compute": compute(records),
        "Licences": licences(),
    }
    body = [line for title, lines in sections.items() for line in ("", f"## {title}", "", *lines)]
    return "\n".join([*_opening(), *body, ""])


def _opening() -> list[str]:
    return [
        "# Results",
        "",
        f"Written by `{COMMAND}` from what is stored below `results/`, as are the findings of README. Accuracy is in "
        "per cent, differences are in points; `results/STUDY/tables/claims.md` has every comparison with its test.",
    ]


def scope() -> list[str]:
    """What of the paper is put to the test."""
    gains = ", ".join(f"{claim.name} {number(claim.points, sign=True)}" for claim in CLAIMS if claim.points is not None)
    others = [
        f"{claim.sentence[0].lower()}{claim.sentence[1:]}"
        for claim in CLAIMS
        if claim.points is None and claim.published != DASH
    ]
    return [
        "Mask-tuning (Ghanbarzadeh et al. 2023, arXiv 2307.10457) fine-tunes on text in which some tokens are replaced "
        "by the model's own predictions, with the masked-language-model loss beside the classifier's. No code was "
        f"released. Put to the test: its gains over fine-tuning of RoBERTa, in points ({gains}), and what else it "
        f"claims: {'; '.join(others)}. Each study says what holds in its own setting; only `paper` has the paper's "
        "models and data.",
    ]


def method(records: Sequence[Record]) -> list[str]:
    """The reading of the method, the studies, and what was declared."""
    ours = MaskTuning()
    return [
        f"The literal loss is alpha L_MLM + (1 - alpha) L_FT with alpha {ours.alpha:g} and {100 * ours.mask_rate:g} % "
        "of the tokens masked, L_MLM a mean over the masked tokens. What the paper leaves open is an option, and "
        "measured; the second reading of each study takes the mean over all tokens that could be masked, about "
        f"{1 / ours.mask_rate:.0f} times less weight. Claims are declared before a study runs, gates with their date; "
        "comparisons are paired by seed.",
        "",
        "| Study | Question | Models | Seeds | Steps | Runs in |",
        "| --- | --- | --- | --- | --- | --- |",
        *(line(study_cells(record)) for record in records),
    ]


def study_cells(record: Record) -> list[str]:
    """Name, question, models, seeds, steps, and how much is in."""
    study = record.study
    seeds = pd.Series([len(cell.seeds) for cell in study.cells])
    steps = record.done["steps"].dropna() if record.has_results else pd.Series(dtype=float)
    return [
        f"`{study.name}`", study.question, ", ".join(names.model(model.name) for model in study.models),
        _span(seeds), _span(steps), f"{len(record.done):,} of {len(record.declared):,}",
    ]  # fmt: skip


def _span(values: pd.Series) -> str:
    if values.empty:
        return DASH
    low, high = int(values.min()), int(values.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def results(records: Sequence[Record]) -> list[str]:
    """The findings, and each comparison of Mask-tuning with fine-tuning that is tested."""
    shown = [f"- {bullet}" for bullet in findings.bullets(records)]
    rows = [(record, row) for record in records for row in _tested_rows(record)]
    if not rows:
        return shown
    return [
        *shown,
        "",
        "Every comparison with a test of a headline claim [95 % interval over seeds x pre-trainings x clusters]:",
        "",
        "| Study | Model | Set | Method | Accuracy, against | Difference | Gates | Verdict |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(line(_comparison_cells(record, row)) for record, row in rows),
    ]


def _tested_rows(record: Record) -> Iterable[Any]:
    frame = record.table("claims")
    if frame.empty:
        return []
    return frame[(frame["family"] == "headline") & (frame["test"] != "estimate")].itertuples()


def _comparison_cells(record: Record, row: Any) -> list[str]:
    measured = row.seeds > 0
    return [
        f"`{record.name}`", names.model(row.model), f"{names.task(row.task)}, {names.evaluation_set(row.set)}",
        f"{row.method} against {row.against}",
        f"{number(row.accuracy)}, {number(row.against_accuracy)}" if measured else DASH,
        interval(row.difference, row.low, row.high, sign=True) if measured else DASH,
        _gates(row) if measured else DASH, row.verdict,
    ]  # fmt: skip


def _gates(row: Any) -> str:
    """What the gates say of a comparison; a table of an older version has none."""
    trained = getattr(row, "trained", NO_GATES)
    if trained == NO_GATES:
        return NO_GATES
    return "; ".join(filter(None, [f"trained: {trained}", row.control and f"control: {row.control}"]))


def line(cells: Iterable[str]) -> str:
    """A line of a table of Markdown."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def easy() -> list[str]:
    """Judgement, in words that hold whatever the results are."""
    return [
        "- The method itself: choose, mask, predict, fill and the joint loss are short functions of tensors "
        "(`masktune/perturb.py`, `masktune/losses.py`), held against formulas that tests write out a second time.",
        f"- The data: {len(CARDS)} real sets have cards with their source at a pinned revision, and a digest where it "
        "is known.",
        "- A world whose cue is known needs no network, so that every step can be run again on a laptop.",
    ]


def hard(records: Sequence[Record]) -> list[str]:
    """What took the work, with how often the gates closed."""
    readings = sum(len(record.study.labels) for record in records if record.name == "ablations")
    return [
        "- The paper states no model sizes, epochs, learning rates, batch size, length or seeds, and not over which "
        f"tokens the masked-LM loss is averaged: the ablations declare {readings} rows to see what they change.",
        "- To tell a method that does not help from a training that was too short, or from a set that cannot show "
        f"help. {_closed(records)}",
        "- Few paired seeds test nothing: where a claim is tested, its number of seeds was chosen for the test.",
    ]


def _closed(records: Sequence[Record]) -> str:
    """How many rows did not train, and how many comparisons the gates close."""
    trained = [frame for record in records if len(frame := record.table("trained"))]
    if not trained:
        return "No gate has been read yet."
    failed, rows = sum(int((~frame["trained"].astype(bool)).sum()) for frame in trained), sum(map(len, trained))
    claims = [frame for record in records if len(frame := record.table("claims"))]
    closed, compared = sum(int(is_closed(frame).sum()) for frame in claims), sum(map(len, claims))
    return (
        f"By the gates {failed} of {rows} rows did not train, and {closed} of {compared} declared comparisons carry no "
        "verdict on robustness."
    )


def not_done(records: Sequence[Record]) -> list[str]:
    """What is declared and not run, and what nobody here could do."""
    waiting = [
        f"`{record.name}` lacks {len(record.declared) - len(record.done):,} of {len(record.declared):,}"
        for record in records
        if len(record.done) < len(record.declared)
    ]
    runs = f"- Declared runs that are not in: {'; '.join(waiting)}." if waiting else "- Every declared run is in."
    return [
        runs,
        *_not_levelled_off(records),
        *_without_control(records),
        "- The authors' code and settings are not public, and the six baselines that the paper beats are not named in "
        "what was at hand: ours follow their own papers.",
        "- Cost is measured on the hardware that Compute names, and on no other.",
    ]


def _not_levelled_off(records: Sequence[Record]) -> list[str]:
    """How many of the language models that were trained here had not levelled off, each once, whatever its name."""
    frames = [frame for record in records if len(frame := record.table("language_models"))]
    every = pd.concat(frames) if frames else pd.DataFrame({"levelled_off": []})
    trained = every.drop_duplicates([column for column in every if column != "model"])
    moving = trained[~trained["levelled_off"].astype(bool)]
    if moving.empty:
        return []
    low, high = moving["last_gain"].min(), moving["last_gain"].max()
    return [
        f"- Language models: {len(moving)} of {len(trained)} that were trained here had not levelled off where the "
        f"studies start from them; their held-out loss still fell by {low:.3f} to {high:.3f} nats in the last quarter "
        f"of training, and less than {curve.STILL:g} is asked."
    ]


def _without_control(records: Sequence[Record]) -> list[str]:
    """Which sets carry no verdict, as their study has a positive control for others and none for them."""
    lines = []
    for record in records:
        frame = record.table("claims")
        frame = frame[frame["control"] == NO_CONTROL] if len(frame) else frame
        declares = record.study.gates is not None and record.study.gates.control is not None
        if declares and len(frame):
            by_model = frame.groupby("model", sort=False)["set"].unique()
            sets = {model: join_words([names.evaluation_set(name) for name in own]) for model, own in by_model.items()}
            said = "; ".join(f"{known} ({names.model(str(model))})" for model, known in sets.items())
            lines.append(f"- Sets without a positive control in `{record.name}`, which carry no verdict there: {said}.")
    return lines


DEVIATIONS = [
    "What changed after which results were known, and how the differences moved with it, stands in the "
    "[deviations log](studies/deviations.md).",
]


def contamination(records: Sequence[Record]) -> list[str]:
    """What the upstream training of each model read, as the studies' files say."""
    told = provision.upstream(records)
    heads = ["Checkpoint", "Studies", "Source", "Licence", "Upstream training read", "Held-out loss, nats"]
    return [
        "What a model read before it came here, which no test of ours can undo. Held-out loss: its masked-LM head on "
        "text that was kept from it, where the head was trained here.",
        "",
        line(heads),
        line(["---"] * len(heads)),
        *(line(cells) for cells in told),
    ]


def compute(records: Sequence[Record]) -> list[str]:
    """Hours of training and evaluation by study and hardware."""
    rows = [cells for record in records for cells in provision.hours(record)]
    if not rows:
        return ["No run is stored."]
    heads = ["| Study | Hardware | Runs | Hours |", "| --- | --- | --- | --- |"]
    total = sum(provision.seconds(record).sum() for record in records) / 3600
    return [
        "Training and evaluation of the stored runs, added up; the language models they start from come on top.",
        "",
        *heads,
        *(line(cells) for cells in rows),
        line(["all", "", f"{sum(len(record.done) for record in records):,}", f"{total:.1f}"]),
    ]


def licences() -> list[str]:
    """The licence of the code, of the data, and of the models where a study's file says it."""
    sets = [f"- {licence}: {join_words(titles)}." for licence, titles in provision.licences().items()]
    return [
        "The code is under the MIT licence. No data set and no weights are distributed with it. Data:",
        "",
        *sets,
        f"- The embedded world ({', '.join(data.EVALUATION['embedded'])}) is made by the code.",
    ]
