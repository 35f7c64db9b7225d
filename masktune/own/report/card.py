"""The model card: a README.md that says what a model is, how it scored, and what it is not for.

Plain values in, Markdown out; the front matter is that of the Hugging Face hub.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from masktune.training.stock.card import CITATION, NOT_THEIRS

NOT_FOR = (
    "Texts of another kind, language or time than those it was trained on: what the scores above do not cover is not "
    "known. Decisions about people: nobody has looked for whom it errs. Comparisons with the paper's numbers."
)
TRIAL = (
    "**A trial, no model for work.** Its language model was made in about a minute from the train texts alone; it "
    "shows that the command runs and what comes out of it."
)


@dataclass(frozen=True)
class Facts:
    """What a card says. Scores are shares of test examples.

    options          of the method, by name
    base             the checkpoint; `base_is_hub`: an id of the hub; `base_note`: what is known of its masked-LM head
    classes          train examples of each class
    sizes            examples of each part
    settings         of the training, by name
    classes_scores   (class, test examples, precision, recall, F1)
    beside           test accuracy of other methods with the same seed, by title
    outside          (examples, accuracy, constant answer) of each part out of distribution
    constant         the class that is right most often if it is always answered, and how often
    """

    method: str
    formula: str
    options: Mapping[str, Any]
    reference: str
    base: str
    base_is_hub: bool
    base_note: str
    file: str
    sha256: str
    rows: int
    texts: Sequence[str]
    label: str
    classes: Mapping[str, int]
    sizes: Mapping[str, int]
    settings: Mapping[str, Any]
    accuracy: float
    balanced: float
    classes_scores: Sequence[tuple[str, int, float, float, float]]
    beside: Mapping[str, float]
    outside: Mapping[str, tuple[int, float, tuple[str, float]]]
    constant: tuple[str, float]
    command: str
    trial: bool = False


def write(facts: Facts) -> str:
    """The card as Markdown, its front matter first."""
    parts = [
        f"---\n{front_matter(facts)}---",
        f"# {facts.method} on {facts.file}",
        *([TRIAL] if facts.trial else []),
        f"A classifier of {_texts(facts)} into {_classes(facts)}, trained with masktune.",
        "## Scores",
        _scores(facts),
        _table(("Class", "Test examples", "Precision", "Recall", "F1"), _class_rows(facts)),
        "## Training",
        _items(_training(facts)),
        "## Data",
        _items(_data(facts)),
        "## Use",
        _use(facts),
        "## What it is not for",
        NOT_FOR,
        "## Citation",
        NOT_THEIRS,
        CITATION,
        "## The command",
        f"```sh\n{facts.command}\n```",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def front_matter(facts: Facts) -> str:
    """The YAML that the hub reads."""
    result = EvalResult(
        task_type="text-classification",
        task_name="Text classification",
        dataset_type="file",
        dataset_name=facts.file,
        dataset_split="test",
        metric_type="accuracy",
        metric_name="Accuracy",
        metric_value=round(facts.accuracy, 4),
    )
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["mask-tuning", "masktune", "text-classification"],
        base_model=facts.base if facts.base_is_hub else None,
        metrics=["accuracy"],
        model_name=f"{facts.method} on {facts.file}",
        eval_results=[result],
    )
    return data.to_yaml() + "\n"


def _texts(facts: Facts) -> str:
    return f"pairs of texts ({' and '.join(facts.texts)})" if len(facts.texts) > 1 else f"texts ({facts.texts[0]})"


def _classes(facts: Facts) -> str:
    names = [f"`{name}`" for name in facts.classes]
    return f"{len(names)} classes: {', '.join(names[:20])}" + (", ..." if len(names) > 20 else "")


def _scores(facts: Facts) -> str:
    own = [(facts.method, "this model", percent(facts.accuracy))]
    own += [(title, "same seed", percent(value)) for title, value in facts.beside.items()]
    own.append((f"always `{facts.constant[0]}`", "no model", percent(facts.constant[1])))
    lines = [
        f"On {facts.sizes['test']:,} test examples of the same file that no training saw. Balanced accuracy of this "
        f"model: {percent(facts.balanced)}.",
        _table(("Method", "", "Accuracy"), own),
    ]
    if facts.outside:
        rows = [
            (name, f"{count:,}", percent(accuracy), f"{percent(share)} (`{label}`)")
            for name, (count, accuracy, (label, share)) in facts.outside.items()
        ]
        lines += ["Out of distribution:", _table(("File", "Examples", "Accuracy", "Constant answer"), rows)]
    return "\n\n".join(lines)


def _class_rows(facts: Facts) -> list[tuple[str, ...]]:
    return [(name, f"{count:,}", *map(percent, shares)) for name, count, *shares in facts.classes_scores]


def _training(facts: Facts) -> list[str]:
    options = ", ".join(f"{name} = {value}" for name, value in facts.options.items())
    settings = ", ".join(f"{name} {value}" for name, value in facts.settings.items())
    return [
        f"Method: {facts.method} ({facts.reference}), minimises {facts.formula}",
        *([f"Options: {options}"] if options else []),
        f"Started from: {facts.base}; {facts.base_note}",
        f"Settings: {settings}",
        "The epoch and the seed were chosen by the validation part alone.",
    ]


def _data(facts: Facts) -> list[str]:
    classes = ", ".join(f"{name} {count:,}" for name, count in facts.classes.items())
    return [
        f"File: {facts.file}, {facts.rows:,} usable rows, sha256 `{facts.sha256}`",
        f"Columns: text {' and '.join(facts.texts)}; label {facts.label}",
        "Parts: " + ", ".join(f"{name} {count:,}" for name, count in facts.sizes.items()),
        f"Train examples by class: {classes}",
    ]


def _use(facts: Facts) -> str:
    text = '{"text": "...", "text_pair": "..."}' if len(facts.texts) > 1 else '"..."'
    length = facts.settings["longest text, in tokens"]
    return (
        "```python\nfrom transformers import pipeline\n\n"
        'classify = pipeline("text-classification", "FOLDER_OF_THIS_MODEL")\n'
        f"classify({text}, truncation=True, max_length={length})\n```"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _items(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def percent(share: float) -> str:
    """A share as per cent."""
    return f"{100 * share:.1f} %"
