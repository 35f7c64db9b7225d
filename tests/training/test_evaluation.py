"""Whatever order evaluation reads in, the user's code sees and gets what the stock Trainer shows and returns."""

import math
import numbers

import numpy
import pytest
import torch
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback

from masktune import FineTuning, MaskTuningModel, MaskTuningTrainer
from masktune.training.collate import InMemory
from masktune.training.evaluation import LongestFirst, SortedEvaluation, can_be_sorted

pytestmark = pytest.mark.slow

GROUPS = ["overlap", "subsequence", "constituent"]


@pytest.fixture
def examples(data):
    """37 examples of 4 to 14 tokens, in no order, with labels and a column that the model does not read."""
    rows = data["bert"].select(range(37))
    return rows.add_column("group", [GROUPS[number % 3] for number in range(37)])


class Watcher(TrainerCallback):
    """Everything that code of a user's is shown in an evaluation."""

    def __init__(self, checkpoint):
        self.checkpoint, self.seen = checkpoint, []

    def metrics(self, found, compute_result=True):
        """The mean of the first logit for each group, by the order of the dataset."""
        self.seen.append((found.predictions, found.label_ids, found.inputs, found.losses))
        if isinstance(found.predictions, tuple):  # of a model that gives more
            return {}
        logits = found.predictions if isinstance(found.predictions, list) else [found.predictions]
        first = numpy.concatenate([numpy.asarray(part)[:, 0] for part in logits])
        return {group: float(first[number::3].mean()) for number, group in enumerate(GROUPS)}

    def preprocess(self, logits, labels):
        self.seen.append((logits, labels))
        return logits.softmax(-1)

    def loss(self, outputs, labels, num_items_in_batch=None):
        self.seen.append(labels)
        return (outputs.logits[:, 0] * labels.flip(0)).mean()

    def on_evaluate(self, args, state, control, eval_dataloader=None, **rest):
        self.seen.append([batch["labels"] for batch in eval_dataloader])

    on_predict = on_evaluate


class Remembering(DataCollatorWithPadding):
    """A user's collator, that keeps what the model does not read for the metrics."""

    def __init__(self, tokenizer, seen):
        super().__init__(tokenizer)
        self.seen = seen

    def __call__(self, features):
        self.seen.append([row["labels"] for row in features])
        return super().__call__(features)


class Rows(torch.utils.data.Dataset):
    """A user's data set."""

    def __init__(self, rows, seen):
        self.rows, self.seen = [dict(row) for row in rows.remove_columns("group")], seen

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, number):
        self.seen.append(number)
        return self.rows[number]


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, rows):
        self.rows = rows.remove_columns("group")

    def __iter__(self):
        return iter(self.rows)


def halves(rows):
    return {"first": rows.select(range(20)), "second": rows.select(range(20, 37))}


def noting(kind):
    """A trainer whose user notes the labels of each batch, as one does to keep more of it than the Trainer does."""

    class Noting(kind):
        def prediction_step(self, model, inputs, *arguments, **named):
            self.seen.append(inputs["labels"])
            return super().prediction_step(model, inputs, *arguments, **named)

    return Noting


def losing(kind):
    class Losing(kind):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            self.seen.append(inputs["labels"])
            outputs = model(**inputs)
            loss = (outputs.logits[:, 0] * inputs["labels"].flip(0)).mean()
            return (loss, {"loss": loss, "logits": outputs.logits}) if return_outputs else loss

    return Losing


class Wide(MaskTuningModel):
    """A model of the user's that also gives something for each token: predictions are a tuple, as wide as the batch."""

    def forward(self, input_ids, attention_mask, token_type_ids, labels=None):
        output = super().forward(
            labels, input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        )
        return {"loss": output.loss, "logits": output.logits, "tokens": attention_mask.float()}

    @classmethod
    def given(cls, watch):
        return {"model": cls.from_pretrained(watch.checkpoint, ("no", "yes"), seed=0, encoder=None)}


def transformed(rows, seen):
    def noted(batch):
        seen.append(batch["labels"])
        return batch

    return rows.remove_columns("group").with_transform(noted)


CASES = {
    "nothing special": {},
    "grouped by length": {"train_sampling_strategy": "group_by_length"},
    "grouped by length, a data set of the user's": {"train_sampling_strategy": "group_by_length", "rows": Rows},
    "loss alone": {"prediction_loss_only": True},
    "one batch at a time to the CPU": {"eval_accumulation_steps": 1},
    "inputs": {"include_for_metrics": ["inputs"]},
    "losses": {"include_for_metrics": ["loss"]},
    "metrics by batch": {"batch_eval_metrics": True},
    "batches apart": {"eval_do_concat_batches": False},
    "no incomplete batch": {"dataloader_drop_last": True},
    "several labels, some as wide as the batch": {"label_names": ["labels", "attention_mask"]},
    "logits made into something else": {"given": lambda watch: {"preprocess_logits_for_metrics": watch.preprocess}},
    "a loss of the user's": {"given": lambda watch: {"compute_loss_func": watch.loss}},
    "a collator of the user's": {"collator": Remembering},
    "a step of the user's": {"kind": noting},
    "a loss of a trainer of the user's": {"kind": losing},
    "a model of the user's": {"given": Wide.given},
    "a hook of the user's": {"hooked": True},
    "hidden states": {"states": True},
    "labels that are numbers": {"numbers": True},
    "workers that stay": {"dataloader_num_workers": 1, "dataloader_persistent_workers": True},
    "half precision": {"bf16_full_eval": True},
    "two sets": {"rows": lambda rows, seen: halves(rows)},
    "a data set of the user's": {"rows": Rows},
    "a stream": {"rows": lambda rows, seen: Stream(rows)},
    "rows that a function of the user's makes": {"rows": transformed},
    "rows in memory": {"rows": lambda rows, seen: InMemory(rows.remove_columns("group"))},
    "a stream of datasets": {"rows": lambda rows, seen: rows.remove_columns("group").to_iterable_dataset()},
}


def evaluated(trainer, kind, watch, examples, case):
    """(what user code saw, what evaluate and predict return)."""
    case = {"rows": lambda rows, seen: rows, "given": lambda watch: {}, "kind": lambda kind: kind, **case}
    extra = {
        name: case.pop(name)
        for name in ("rows", "given", "kind", "collator", "hooked", "states", "numbers")
        if name in case
    }
    rows, given = extra["rows"](examples, watch.seen), extra["given"](watch)
    if kind is Trainer:  # which returns another order, on purpose or not
        case.pop("train_sampling_strategy", None)
    run = trainer(
        kind=extra["kind"](kind), metrics=watch.metrics, callbacks=[watch], per_device_eval_batch_size=8,
        method=FineTuning(), given={"eval_dataset": rows, **given}, **case,
    )  # fmt: skip
    run.seen = watch.seen
    if "collator" in extra:
        run.data_collator = extra["collator"](run.processing_class, watch.seen)
    if "states" in extra:
        run.model.config.output_hidden_states = True
    if "numbers" in extra:
        run.model.config.problem_type = "regression"
        run.label_names = ["labels"]
        rows = rows.map(lambda row: {"labels": [row["labels"] / 3, len(row["input_ids"]) / 10]})
        run.eval_dataset = rows
    if "hooked" in extra:
        head = run.model.classifier if kind is Trainer else run.model.classifier.classifier
        head.register_forward_hook(lambda module, inputs, output: watch.seen.append(output))
    metrics = run.evaluate()
    found = run.predict(rows["first"] if isinstance(rows, dict) else rows)
    timeless = {name: value for name, value in metrics.items() if not any(w in name for w in ("time", "second"))}
    return timeless, found.predictions, found.label_ids


def close(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, numbers.Number):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-5)
    if one is None:
        return other is None
    one, other = torch.as_tensor(one), torch.as_tensor(other)
    return one.shape == other.shape and torch.allclose(one.double(), other.double(), atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_results_and_what_code_of_the_users_sees_are_those_of_the_stock_trainer(trainer, checkpoints, examples, case):
    ours, stock = Watcher(checkpoints["bert"]), Watcher(checkpoints["bert"])
    assert close(
        evaluated(trainer, MaskTuningTrainer, ours, examples, CASES[case]),
        evaluated(trainer, Trainer, stock, examples, CASES[case]),
    )
    assert close(ours.seen, stock.seen)


@pytest.mark.parametrize(
    ("case", "longest_first"), [("nothing special", True), ("rows in memory", True), ("batches apart", False)]
)
def test_the_longest_examples_are_read_first_where_nobody_can_tell(
    trainer, checkpoints, examples, monkeypatch, case, longest_first
):
    lengths, step = [], SortedEvaluation.prediction_step

    def noted(self, model, inputs, *arguments, **named):
        lengths.append(inputs["input_ids"].shape[1])
        return step(self, model, inputs, *arguments, **named)

    monkeypatch.setattr(SortedEvaluation, "prediction_step", noted)
    evaluated(trainer, MaskTuningTrainer, Watcher(checkpoints["bert"]), examples, CASES[case])
    once = lengths[: len(lengths) // 2]
    assert (once == sorted(once, reverse=True)) is longest_first


def test_an_evaluation_that_fails_leaves_the_order_and_the_metrics_as_they_were(trainer, examples):
    run = trainer(method=FineTuning(), given={"eval_dataset": examples})
    batches, metrics = run.get_eval_dataloader(), lambda read: 1 / 0
    run.compute_metrics = metrics
    with pytest.raises(ZeroDivisionError):
        run.evaluation_loop(batches, "Evaluation")
    assert run.compute_metrics is metrics
    assert can_be_sorted(batches)


def test_the_longest_come_first_and_equal_lengths_stay_in_order():
    assert list(LongestFirst([3, 9, 5, 9])) == [1, 3, 2, 0]
