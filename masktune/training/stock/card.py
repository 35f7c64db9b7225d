"""The model card that `trainer.save_model` writes beside a model: how it was trained, on what, and how it scored.

A stock Trainer writes one when a model is pushed to the hub; that one takes the place of this.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData
from transformers import Trainer

from masktune.methods import Method
from masktune.models.adapters import unwrapped
from masktune.training.reading import labels

NAME = "README.md"
NOT_THEIRS = (
    "Mask-tuning is the method of Ghanbarzadeh et al. 2023. This model was trained with masktune, an independent "
    "implementation: it is not the authors' code, and not their model."
)
CITATION = """```bibtex
@inproceedings{ghanbarzadeh2023masktuning,
  title = {Improving the Reusability of Pre-trained Language Models in Real-world Applications},
  author = {Ghanbarzadeh and Palangi and Huang and {Cruz Moreno} and Khanpour},
  booktitle = {IEEE International Conference on Information Reuse and Integration (IRI)},
  year = {2023},
  note = {arXiv:2307.10457}
}
```"""
BESIDE = (
    "What the method does beside plain fine-tuning is not measured here: train once more with the same arguments and "
    '`method="fine_tuning"`, or let `masktune train --compare fine_tuning` do both.'
)


def write(trainer: Trainer, method: Method) -> str:
    """The card of the model of a trainer as Markdown, its front matter first."""
    base = _config(trainer).name_or_path
    parts = [
        f"---\n{_front_matter(base)}---",
        f"# {method.label}, from {Path(base).name or 'a model of its own'}",
        "## Training",
        _items(_training(trainer, method, base)),
        "## Scores",
        _items([*_scores(trainer), BESIDE]),
        "## Citation",
        NOT_THEIRS,
        CITATION,
    ]
    return "\n\n".join(parts) + "\n"


def _config(trainer: Trainer) -> Any:
    """The configuration of the classifier, whatever wraps it."""
    model: Any = trainer.model  # a MaskTuningModel
    return unwrapped(model.classifier).config


def _front_matter(base: str) -> str:
    on_hub = bool(base) and not Path(base).exists()
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["mask-tuning", "masktune", "text-classification"],
        base_model=base if on_hub else None,
    )
    return data.to_yaml() + "\n"


def _training(trainer: Trainer, method: Method, base: str) -> Iterator[str]:
    yield f"Method: {method.label} ({method.reference}), minimises {method.formula}"
    if options := ", ".join(f"{name} = {value}" for name, value in method.settings().items()):
        yield f"Options: {options}"
    if base:
        head = ", with the masked-LM head of that checkpoint" if method.encoder is not None else ""
        yield f"Started from: {Path(base).name if Path(base).exists() else base}{head}"
    args, state = trainer.args, trainer.state
    yield (
        f"Settings: {state.global_step:,} steps, batches of {args.train_batch_size * args.gradient_accumulation_steps} "
        f"a process, peak learning rate {args.learning_rate:g}, seed {args.seed}"
    )
    yield from _data("Train", trainer.train_dataset, trainer)


def _scores(trainer: Trainer) -> Iterator[str]:
    """The numbers of the last evaluation, and the answer that is right most often without a model."""
    logged = [entry for entry in trainer.state.log_history if any(name.startswith("eval_") for name in entry)]
    for name, value in (logged[-1] if logged else {}).items():
        if name.startswith("eval_") and not name.endswith(("_runtime", "_per_second", "_time")):
            yield f"{name}: {value:.4g}"
    evaluated = trainer.eval_dataset
    if logged and not isinstance(evaluated, dict):
        yield from _data("Evaluation", evaluated, trainer)
    if not logged:
        yield "The model was not evaluated."


def _data(what: str, dataset: Any, trainer: Trainer) -> Iterator[str]:
    """How many examples of each class a table of examples has, and how often the commonest is right; else how many."""
    if not hasattr(dataset, "__len__"):
        return
    counts = _classes(dataset)
    if not counts:
        yield f"{what} examples: {len(dataset):,}"
        return
    known = _config(trainer).id2label or {}
    by_class = ", ".join(f"{known.get(label, label)} {count:,}" for label, count in sorted(counts.items()))
    share = max(counts.values()) / len(dataset)
    yield f"{what} examples: {len(dataset):,} ({by_class}); the commonest class is right on {100 * share:.1f} %"


def _classes(dataset: Any) -> Counter[int]:
    """How often each class is there; empty where it is no table, or its labels are no classes."""
    column = labels.label_column(dataset) if hasattr(dataset, "column_names") else None
    if column is None or labels.is_made_when_read(dataset):
        return Counter()
    values = list(labels.plain(dataset)[column])
    return Counter(map(int, values)) if all(isinstance(value, int) for value in values) else Counter()


def _items(lines: Any) -> str:
    return "\n".join(f"- {line}" for line in lines)
