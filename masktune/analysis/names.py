"""What things are called for a reader, and in which order they come."""

import pandas as pd

TASKS = {"sentiment": "Sentiment", "inference": "Inference", "paraphrase": "Paraphrase"}
KINDS = {
    "in_distribution": "in-distribution",
    "out_of_distribution": "OOD",
    "companion": "companion",
    "other_length": "OOD, cut elsewhere",
}
_LENGTH = ("training/epochs", "training/train_examples", "training/batch_size")  # of a training
AXES = {"in_distribution": "in distribution", "out_of_distribution": "out of distribution"}  # in sentences
MODELS = {
    "bert": "BERT",
    "roberta": "RoBERTa",
    "bart": "BART",
    "bert-48000": "BERT, pre-trained 48,000 steps",
    "bert-tiny": "BERT-tiny",
    "minilm": "MiniLM",
    "adapted-0": "BERT-tiny, not adapted",
    "adapted-300": "BERT-tiny, adapted 300 steps",
    "adapted-3000": "BERT-tiny, adapted 3,000 steps",
    "adapted-30000": "BERT-tiny, adapted 30,000 steps",
}
SETS = {
    "validation": "validation",
    "contrast": "contrast edits",
    "counterfactual": "counterfactual edits",
    "heuristics": "heuristics",
    "adversarial": "adversarial",
    "swaps": "word swaps",
    "sst2_validation": "SST-2 validation",
    "imdb_contrast": "IMDB-Cont",
    "imdb_cad": "IMDB-CAD",
    "mnli_matched": "MNLI matched",
    "mnli_mismatched": "MNLI mismatched",
    "hans": "HANS",
    "anli_r1": "ANLI round 1",
    "anli_r2": "ANLI round 2",
    "anli_r3": "ANLI round 3",
    "qqp_validation": "QQP validation",
    "paws_qqp": "PAWS-QQP",
}
CLASSES = {
    "sentiment": ("negative", "positive"),
    "inference": ("entailment", "not entailed"),
    "paraphrase": ("different", "paraphrase"),
}


def task(name: str) -> str:
    """The title of a task."""
    return TASKS.get(name, _plain(name))


def model(name: str) -> str:
    """The title of a model: its family's own spelling where it is known."""
    return MODELS.get(name, name)


def evaluation_set(name: str) -> str:
    """The title of an evaluation set."""
    whole, _, length = name.partition("@")
    title = SETS.get(whole, _plain(whole))
    return f"{title}, {length} tokens" if length else title


def group(name: str) -> str:
    """The title of a named slice of a set: `subsequence/1` is a heuristic and the true label."""
    heuristic, _, label = name.partition("/")
    if label not in ("0", "1"):
        return _plain(name)
    return f"{_plain(heuristic)}, {CLASSES['inference'][int(label)]}"


def class_name(task_name: str, label: int) -> str:
    """The name of a class of a task with two classes."""
    known = CLASSES.get(task_name, ())
    return known[label] if label < len(known) else f"class {label}"


def methods_in_order(runs: pd.DataFrame) -> list[str]:
    """The labels of the methods: plain fine-tuning first, then as the study lists them."""
    first = runs.drop_duplicates("label")
    baseline = first["method"].eq("fine_tuning")
    return [*first.loc[baseline, "label"], *first.loc[~baseline, "label"]]


def pairs_in_order(runs: pd.DataFrame) -> list[tuple[str, str]]:
    """What the methods are compared with: (plain fine-tuning, other), in the order of `methods_in_order`.

    Where a study fine-tunes for several lengths of training, each method has the one that is as long as its own; these
    are not compared with one another.
    """
    labels = methods_in_order(runs)
    rows = runs.drop_duplicates("label").set_index("label").loc[labels]
    settings = rows[[name for name in _LENGTH if name in rows]]
    length = {label: str(own) for label, *own in settings.itertuples()}
    plain = {length[label]: label for label in reversed(rows.index[rows["method"] == "fine_tuning"])}
    pairs = [(plain.get(length[label], labels[0]), label) for label in labels]
    return [(first, second) for first, second in pairs if first != second]


def _plain(name: str) -> str:
    return name.replace("_", " ")
