"""Whatever a stock Trainer takes as a train set trains the same, or is refused in one line."""

import numpy
import pytest
import torch
from datasets import Dataset, DatasetDict, Value
from tiny_runs import losses
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import IterableDataset as TorchIterable
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningTrainer, methods
from masktune.training.sampling import SeededSampler

pytestmark = pytest.mark.slow

STEPS = 4


class Rows(TorchDataset):
    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


class Stream(TorchIterable):
    def __init__(self, rows):
        self.rows = rows

    def __iter__(self):
        return iter(self.rows)


class Collator:
    """Tokenises the texts of a batch."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __call__(self, rows):
        read = self.tokenizer([row["text"] for row in rows], padding=True, return_tensors="pt")
        return {**read, "labels": torch.tensor([row["labels"] for row in rows])}


def as_type(rows, name):
    return rows.cast_column("labels", Value(name))


def padded(rows, tokenizer):
    """As padding="max_length" has them."""
    return rows.map(
        lambda row: tokenizer.pad(
            {name: row[name] for name in tokenizer.model_input_names}, padding="max_length", max_length=20
        )
    )


def texts_of(rows, tokenizer):
    return tokenizer.batch_decode(list(rows["input_ids"]), skip_special_tokens=True)


def lazy(rows, tokenizer):
    raw = Dataset.from_dict({"text": texts_of(rows, tokenizer), "labels": rows["labels"]})
    return raw.with_transform(lambda batch: {**tokenizer(batch["text"]), "labels": batch["labels"]})


def raw(rows, tokenizer):
    return Dataset.from_dict({"text": texts_of(rows, tokenizer), "labels": rows["labels"]})


NAMES = ["input_ids", "attention_mask", "token_type_ids", "labels"]
KEPT = {"remove_unused_columns": False}
# A train set made of rows and tokenizer; what the arguments say more.
KINDS = {
    "torch": (lambda rows, _: rows.with_format("torch"), {}),
    "numpy": (lambda rows, _: rows.with_format("numpy"), {}),
    "pandas": (lambda rows, _: rows.with_format("pandas"), {}),
    "arrow": (lambda rows, _: rows.with_format("arrow"), {}),
    "torch, some columns": (lambda rows, _: rows.add_column("more", ["x"] * 60).with_format("torch", NAMES), {}),
    "made when read": (lazy, KEPT),
    "tokenised by the collator": (raw, KEPT),
    "list of dicts": (lambda rows, _: list(rows), {}),
    "list of encodings": (lambda rows, t: [t.pad(row) for row in rows], {}),
    "torch data set": (lambda rows, _: Rows(list(rows)), {}),
    "iterable of datasets": (lambda rows, _: rows.to_iterable_dataset(), {}),
    "torch iterable": (lambda rows, _: Stream(list(rows)), {}),
    "int8": (lambda rows, _: as_type(rows, "int8"), {}),
    "int8 arrays": (lambda rows, _: as_type(rows, "int8").with_format("numpy"), {}),
    "bool": (lambda rows, _: as_type(rows, "bool"), {}),
    "bool tensors": (lambda rows, _: as_type(rows, "bool").with_format("torch"), {}),
    "whole decimals": (lambda rows, _: as_type(rows, "float64"), {}),
    "list of decimals": (lambda rows, _: [{**row, "labels": float(row["labels"])} for row in rows], {}),
    "label": (lambda rows, _: rows.rename_column("labels", "label"), {}),
    "label_ids": (lambda rows, _: rows.rename_column("labels", "label_ids"), {}),
    "label in a list": (lambda rows, _: list(rows.rename_column("labels", "label")), {}),
    "without attention_mask": (lambda rows, _: rows.remove_columns("attention_mask"), {}),
    "more columns": (lambda rows, _: rows.add_column("text", ["some text"] * 60), {}),
    "padded": (padded, {}),
    "by length, made when read": (lazy, {**KEPT, "train_sampling_strategy": "group_by_length"}),
    "by length, torch": (lambda rows, _: rows.with_format("torch"), {"train_sampling_strategy": "group_by_length"}),
    "by length, list": (lambda rows, _: list(rows), {"train_sampling_strategy": "group_by_length"}),
}


@pytest.fixture
def run(trainer, data, checkpoints):
    """Train on a kind of train set."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoints["bert"])

    def train(kind, name, **more):
        make, options = KINDS[name]
        rows = make(data["bert"], tokenizer)
        collator = {"data_collator": Collator(tokenizer)} if make is raw else {}
        given = {"train_dataset": rows, **collator, **more}
        made = trainer(kind=kind, folder=name.replace(" ", "-"), max_steps=STEPS, given=given, **options)
        made.train()
        return made

    return train


@pytest.mark.parametrize("name", KINDS)
def test_a_train_set_of_any_kind_trains_as_with_a_stock_trainer(run, trainer, data, name):
    grouped = KINDS[name][1].get("train_sampling_strategy") == "group_by_length"
    lengths = [len(row) for row in data["bert"]["input_ids"]]

    class Stock(Trainer):
        def _get_train_sampler(self, train_dataset=None):
            if "iterable" in name:
                return torch.utils.data.SequentialSampler(data["bert"])
            return SeededSampler(lengths, 8, seed=1, grouped=grouped)

    stock = trainer(kind=Stock, folder="stock", max_steps=STEPS)
    stock.train()
    ours = run(with_method(FineTuning()), name)
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_mask_tuning_trains_on_every_kind(run, name):
    trained = run(with_method(MaskTuning(mask_rate=0.3)), name)
    assert all(numpy.isfinite(losses(trained))) and "loss_mlm" in trained.state.log_history[0]


def with_method(method):
    """A trainer with this method whatever it is given."""

    class Trained(MaskTuningTrainer):
        def __init__(self, **given):
            super().__init__(**{**given, "method": method})

    return Trained


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda rows: DatasetDict(train=rows, test=rows),
            r"is a DatasetDict of train, test; .*data\['train'\]",
        ),
        (lambda rows: {"train": rows}, r"is a dict of train; pass one"),
        (lambda rows: rows.to_dict(), "is a dict of the columns .*Dataset.from_dict"),
        (lambda rows: rows.remove_columns("labels"), "expected input_ids, attention_mask and labels"),
        (lambda rows: as_type(rows, "string"), "row 0 of the train dataset has the label '0'"),
    ],
)
def test_what_is_no_train_set_is_refused_in_one_line(trainer, data, make, message):
    with pytest.raises(MaskTuneError, match=message) as error:
        trainer(given={"train_dataset": make(data["bert"])})
    assert "\n" not in str(error.value)


def test_a_batch_encoding_is_one_batch(trainer, checkpoints):
    with pytest.raises(MaskTuneError, match="is a BatchEncoding of the columns .*Dataset.from_dict"):
        trainer(given={"train_dataset": AutoTokenizer.from_pretrained(checkpoints["bert"])(["word1 word2"])})


def test_a_list_without_labels_is_refused_when_its_first_batch_is_read(trainer, data):
    run = trainer(given={"train_dataset": list(data["bert"].remove_columns("labels"))})
    with pytest.raises(MaskTuneError, match="a batch of the train set has .*, and no labels"):
        run.train()


def test_a_list_with_a_label_between_classes_is_refused_when_its_batch_is_read(trainer, data):
    run = trainer(given={"train_dataset": [{**row, "labels": 0.5} for row in data["bert"]]})
    with pytest.raises(MaskTuneError, match="a batch has the label 0.5 for an example; expected a whole number"):
        run.train()


def test_texts_that_the_collator_tokenises_have_no_lengths_to_sort_by(run):
    KINDS["texts by length"] = (raw, {**KEPT, "train_sampling_strategy": "group_by_length"})
    with pytest.raises(MaskTuneError, match="train_sampling_strategy = 'group_by_length': the train set has no"):
        run(with_method(FineTuning()), "texts by length")


# ---- several labels of an example, and numbers to predict

TASKS = {
    "multi_label_classification": [[float(number % 2), float(number % 3 == 0)] for number in range(60)],
    "regression": [[number / 60, -number / 30] for number in range(60)],
}
CONTAINERS = {
    "table": lambda rows, labels: rows.remove_columns("labels").add_column("labels", labels),
    "torch": lambda rows, labels: CONTAINERS["table"](rows, labels).with_format("torch"),
    "list": lambda rows, labels: list(CONTAINERS["table"](rows, labels)),
    "torch data set": lambda rows, labels: Rows(list(CONTAINERS["table"](rows, labels))),
    "iterable": lambda rows, labels: CONTAINERS["table"](rows, labels).to_iterable_dataset(),
}


def of_task(checkpoint, problem, num_labels=2):
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(checkpoint, num_labels=num_labels, problem_type=problem)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("task", [*TASKS, "one number", "whole numbers"])
def test_the_loss_is_that_of_the_classifier(trainer, data, checkpoints, task, declared, container):
    """As transformers' classifiers have it; num_labels and the labels tell where problem_type is not set."""
    if not declared and task == "regression":
        pytest.skip("two numbers and no problem_type are several labels for transformers")
    labels = TASKS.get(task, [number % 5 if task == "whole numbers" else number / 7 for number in range(60)])
    problem, count = (task, 2) if task in TASKS else ("regression", 1)
    rows = CONTAINERS[container](data["bert"], labels)
    decimals = CONTAINERS["table"](
        data["bert"], [[float(x) for x in y] if isinstance(y, list) else float(y) for y in labels]
    )

    class Stock(Trainer):
        def _get_train_sampler(self, train_dataset=None):
            if container == "iterable":
                return torch.utils.data.SequentialSampler(decimals)
            return SeededSampler([0] * 60, 8, seed=1, grouped=False)

    def model():
        return of_task(checkpoints["bert"], problem if declared else None, count)

    stock = trainer(kind=Stock, folder="stock", max_steps=STEPS, given={"model": model(), "train_dataset": decimals})
    ours = trainer(method=FineTuning(), max_steps=STEPS, given={"model": model(), "train_dataset": rows})
    stock.train(), ours.train()
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)
    assert ours.evaluate(CONTAINERS["table"](data["bert"], labels))["eval_loss"] == pytest.approx(
        stock.evaluate(decimals)["eval_loss"], rel=1e-4
    )


@pytest.mark.parametrize("task", TASKS)
def test_mask_tuning_keeps_its_other_term_beside_the_classifiers_loss(trainer, data, checkpoints, task):
    rows = CONTAINERS["list"](data["bert"], TASKS[task])
    model = of_task(checkpoints["bert"], task)
    run = trainer(method=MaskTuning(mask_rate=0.3), max_steps=2, given={"model": model, "train_dataset": rows})
    run.train()
    assert {"loss_mlm", "loss_classification"} <= run.state.log_history[0].keys()


@pytest.mark.parametrize("container", ["table", "list"])
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    "name",
    ["r_drop", "span_cutoff", "hidden_cut", "free_lb", "mask_tuning+r_drop", {"keep": "correct"}, {"classify": "both"}],
)
def test_methods_of_classes_are_refused_by_name_in_one_line(trainer, data, checkpoints, name, declared, container):
    method = MaskTuning(**name) if isinstance(name, dict) else methods.build(name)
    model = of_task(checkpoints["bert"], "multi_label_classification" if declared else None)
    rows = CONTAINERS[container](data["bert"], TASKS["multi_label_classification"])
    with pytest.raises(MaskTuneError, match=method.name.replace("+", "|")) as error:
        trainer(method=method, given={"model": model, "train_dataset": rows}).train()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("problem", "labels", "message"),
    [
        ("multi_label_classification", [1] * 60, "the label 1; expected a list of 2 numbers from 0 to 1"),
        ("multi_label_classification", [[0.0, 2.0]] * 60, r"the label \[0.0, 2.0\]; expected a list of 2"),
        (
            "multi_label_classification",
            [[0.0, 1.0, 1.0]] * 60,
            r"the label \[0.0, 1.0, 1.0\]; expected a list of 2 numbers from 0 to 1",
        ),
        ("single_label_classification", [[0.0, 1.0]] * 60, r"the label \[0.0, 1.0\]; expected a whole number"),
        ("regression", [float("nan")] * 60, "the label nan; expected a list of 2 numbers"),
    ],
)
def test_labels_that_do_not_go_with_the_problem_are_quoted(trainer, data, checkpoints, problem, labels, message):
    rows = CONTAINERS["table"](data["bert"], labels)
    with pytest.raises(MaskTuneError, match=f"^row 0 of the train dataset has {message}"):
        trainer(given={"model": of_task(checkpoints["bert"], problem), "train_dataset": rows})
