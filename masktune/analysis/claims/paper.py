"""What the paper claims (arXiv 2307.10457), in our words, and what it leaves open: each with what would answer it.

`answers` says which comparisons of a study's declared claims bear on it, whatever the study calls them: settings are
known by method and options, at the study's own training, sets by both their names, that of the embedded world and the
real one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from masktune.analysis import names

BASELINES = (
    "mlm_augmentation", "span_cutoff", "hidden_cut", "reweighting", "product_of_experts", "confidence_regularisation",
    "forgettable", "masker",
)  # fmt: skip
ADVERSARIAL = ("anli_r1", "anli_r2", "anli_r3")


@dataclass(frozen=True)
class Setting:
    """A method of a grid by its registry name, with the options that differ from the paper's.

    `plain`: trained as the study trains, from the models as the study has them.
    """

    method: str
    options: Mapping[str, Any]
    plain: bool = True

    @property
    def is_paper(self) -> bool:
        """Mask-tuning as the paper has it, as the package interprets it."""
        return self.plain and self.method == "mask_tuning" and not self.options

    @property
    def is_reference(self) -> bool:
        """Fine-tuning without anything else."""
        return self.plain and self.method == "fine_tuning"

    def varies(self, option: str) -> bool:
        """Mask-tuning with this one option changed."""
        return self.plain and self.method == "mask_tuning" and set(self.options) == {option}


@dataclass(frozen=True)
class Compared:
    """A declared comparison: where, by which test, and the settings of `method` and `against`."""

    test: str
    task: str
    model: str
    set: str
    kind: str
    method: Setting
    against: Setting


@dataclass(frozen=True)
class PaperClaim:
    """A claim or an open question; `published` as the paper has it, `points` where it is a gain of RoBERTa on one set.

    `answers` chooses the comparisons that bear on it, `how` says what of them does: the "verdict", the "largest" of
    them, the "cost" of the two methods, or the "diversity" of their texts, which no comparison of runs can answer.
    `command` makes their runs, in a study that declares them.
    """

    name: str
    sentence: str
    published: str
    command: str
    answers: Callable[[Compared], bool]
    how: str = "verdict"
    task: str = ""
    points: float | None = None


def _is_gain(at: Compared) -> bool:
    return at.test in ("superiority", "estimate") and at.kind == "out_of_distribution"


def _paper_against_fine_tuning(at: Compared) -> bool:
    return at.method.is_paper and at.against.is_reference


def _gain(name: str, sentence: str, points: float, task: str, *sets: str) -> PaperClaim:
    """A published gain over fine-tuning of RoBERTa on one data set."""

    def answers(at: Compared) -> bool:
        return _is_gain(at) and _paper_against_fine_tuning(at) and at.set in sets

    published = f"+{points:g} points over RoBERTa"
    return PaperClaim(name, sentence, published, f"run STUDY --task {task}", answers, task=task, points=points)


CLAIMS = (
    _gain("IMDB-Cont", "More accurate on contrast edits of reviews", 4.0, "sentiment", "contrast", "imdb_contrast"),
    _gain("IMDB-CAD", "More accurate on counterfactual edits", 3.22, "sentiment", "counterfactual", "imdb_cad"),
    _gain("HANS", "More accurate where heuristics of inference fail", 7.9, "inference", "heuristics", "hans"),
    _gain("AdvNLI", "More accurate on adversarial inference", 6.2, "inference", "adversarial", *ADVERSARIAL),
    _gain("PAWS", "More accurate on paraphrases with swapped words", 5.92, "paraphrase", "swaps", "paws_qqp"),
    PaperClaim(
        "up to 14", "The largest gain is 14 points; where is not said", "up to +14 points", "run STUDY",
        lambda at: _is_gain(at) and _paper_against_fine_tuning(at), "largest",
    ),
    PaperClaim(
        "in distribution", "As accurate in distribution as fine-tuning, or more", "kept or better", "run STUDY",
        lambda at: at.test == "non_inferiority" and _paper_against_fine_tuning(at),
    ),
    PaperClaim(
        "baselines", "More accurate out of distribution than other ways to robustness", "six beaten, not named",
        "run STUDY", lambda at: _is_gain(at) and at.method.is_paper
        and at.against.plain and at.against.method in BASELINES,
    ),
    PaperClaim(
        "5 %", "Masking 5 % of the tokens is best", "5 % best, no curve", "run STUDY --method mask_tuning",
        lambda at: at.test == "superiority" and at.method.is_paper and at.against.varies("mask_rate"),
    ),
    PaperClaim(
        "alpha 0.6", "Alpha 0.6 is best for BERT on sentiment", "0.6 suggested",
        "run STUDY --method mask_tuning --task sentiment",
        lambda at: at.test == "superiority" and at.task == "sentiment" and at.method.is_paper
        and at.against.varies("alpha"),
    ),
    PaperClaim(
        "diversity", "Three times more diversified examples than MLM", "3 times", "run STUDY", lambda at: False,
        "diversity",
    ),
    PaperClaim(
        "Q1", "Open: does another masking rate gain over fine-tuning?", "\N{EN DASH}", "run STUDY",
        lambda at: _is_gain(at) and at.method.varies("mask_rate") and at.against.is_reference,
    ),
    PaperClaim(
        "Q2", "Open: does it add to adversarial training and other methods?", "\N{EN DASH}", "run STUDY",
        lambda at: _is_gain(at) and at.method.plain and at.against.plain
        and at.method.method == f"mask_tuning+{at.against.method}",
    ),
    PaperClaim(
        "alpha", "Open: does another alpha gain over fine-tuning?", "\N{EN DASH}", "run STUDY",
        lambda at: _is_gain(at) and at.method.varies("alpha") and at.against.is_reference,
    ),
    PaperClaim(
        "Q3", "Open: what does it cost, in training time of fine-tuning?", "\N{EN DASH}", "run STUDY",
        _paper_against_fine_tuning, "cost",
    ),
)  # fmt: skip


def published_gains() -> dict[str, float]:
    """What the paper reports by task, in points over RoBERTa fine-tuning (two sets: their mean): a first prediction."""
    points = {task: [claim.points for claim in CLAIMS if claim.points and claim.task == task] for task in names.TASKS}
    return {task: round(fmean(values), 2) for task, values in points.items()}
