"""Our fine-tuning beside that of a stock `transformers.Trainer`, both from one checkpoint.

The stock side is written as transformers' own examples are: AutoModelForSequenceClassification, the tokenizer, and
DataCollatorWithPadding; of masktune it takes the texts, the labels and the settings of training. What differs between
the two sides is drawn: the weights of the head (ours from a stream of its own, both by transformers' initialisation),
the order of the batches and the masks of dropout. So seeds are no pairs, and what must agree is the mean over seeds.

`same_start` takes these differences away: a stock Trainer that begins with our head and reads our batches must end with
our weights, to the bit where our CPU accelerators are switched off.
"""

import tempfile
from dataclasses import replace
from typing import Any

import datasets
import numpy
import pandas
import torch
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
    set_seed,
)

from masktune.data.tasks import EvaluationSet
from masktune.study.design.cells import Cell
from masktune.study.run import training
from masktune.study.run.training import CellInputs

OURS, STOCK = "masktune", "transformers.Trainer"
PLACE = ["study", "model", "task", "train_examples"]
KEY = [*PLACE, "trainer", "seed"]


def prepare(cell: Cell) -> CellInputs:
    """What both sides share. Evaluation is that of the cell, each set at its own length alone."""
    chosen = replace(cell.training, evaluation_lengths=(), readings="last")
    return training.load_inputs(replace(cell, training=chosen))


def ours(inputs: CellInputs, seed: int) -> list[dict[str, Any]]:
    """The accuracy of one run of the study's own code on every set."""
    records, predictions = training.train_seed(inputs, seed)
    frame = predictions.select(["set", "label", "prediction"]).to_pandas()
    right = {name: (rows["label"] == rows["prediction"]).to_numpy() for name, rows in frame.groupby("set", sort=False)}
    return _rows(inputs, seed, OURS, right, records["cost"]["steps"], records["environment"]["precision"])


def stock(inputs: CellInputs, seed: int) -> list[dict[str, Any]]:
    """The accuracy of one run of a stock Trainer on every set."""
    inputs, used = inputs.of(seed), precision(inputs)
    set_seed(seed)
    model = load(inputs)
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=arguments(inputs.cell, scratch, used, seed=seed),
            train_dataset=encode(inputs, inputs.task.train, inputs.cell.training.max_length),
            data_collator=DataCollatorWithPadding(inputs.tokenizer),
        )
        trainer.train()
        sets = [each for each in inputs.task.evaluation if each.kind != "companion"]
        right = {each.name: answers(trainer, inputs, each) for each in sets}
    return _rows(inputs, seed, STOCK, right, trainer.state.global_step, used)


def same_start(inputs: CellInputs, seed: int) -> dict[str, Any]:
    """One epoch of both sides from one head, in one order: are the weights the same, how far apart are the logits?

    Ours runs without the accelerators of a CPU. The order reaches the stock Trainer as a train set that is read in
    sequence, so that both draw the masks of dropout from one generator.
    """
    cell = replace(inputs.cell, training=replace(inputs.cell.training, epochs=1, cpu_accelerators="off"))
    inputs = replace(inputs.of(seed), cell=cell)
    with tempfile.TemporaryDirectory() as scratch:
        own = training.build_trainer(inputs, seed, None, 1, scratch)
        order = list(own._get_train_sampler())  # type: ignore[arg-type]  # it is an order of rows
        start = {name: value.clone() for name, value in own.model.classifier.state_dict().items()}
        own.args.eval_strategy = "no"
        set_seed(seed)
        own.train()
        model = load(inputs)
        model.load_state_dict(start)
        train = encode(inputs, inputs.task.train, cell.training.max_length).select(order)
        args = arguments(cell, scratch, precision(inputs), seed=seed, train_sampling_strategy="sequential")
        stock = Trainer(
            model=model, args=args, train_dataset=train, data_collator=DataCollatorWithPadding(inputs.tokenizer)
        )
        set_seed(seed)
        stock.train()
        first = inputs.task.evaluation[0]
        rows = encode(inputs, first.examples, first.max_length)
        trained, end = own.model.classifier.state_dict(), model.state_dict()
        same = all(torch.equal(value, trained[name].to(value.device)) for name, value in end.items())
        theirs = _logits(stock.predict(rows).predictions)
        model.load_state_dict(trained)
        mine = _logits(stock.predict(rows).predictions)
    return {
        **place(inputs), "seed": seed, "set": first.name, "examples": len(mine), "steps": stock.state.global_step,
        "device": _device(), "precision": precision(inputs), "same_weights": same,
        "largest_difference": float(abs(mine - theirs).max()), "spread": float(mine.std()),
    }  # fmt: skip


def load(inputs: CellInputs) -> PreTrainedModel:
    """The classifier of the checkpoint as transformers loads it; its head is drawn from torch's own generator."""
    return AutoModelForSequenceClassification.from_pretrained(
        inputs.checkpoint, revision=inputs.cell.model.revision or "main", num_labels=len(inputs.task.label_names)
    )


def arguments(cell: Cell, scratch: str, used: str, **own: Any) -> TrainingArguments:
    """The settings of the cell as transformers calls them."""
    chosen = cell.training
    given: dict[str, Any] = {
        "num_train_epochs": chosen.epochs, "learning_rate": chosen.learning_rate,
        "per_device_train_batch_size": chosen.batch_size, "per_device_eval_batch_size": 4 * chosen.batch_size,
        "lr_scheduler_type": "linear", "warmup_steps": chosen.warmup_ratio, "weight_decay": chosen.weight_decay,
        "max_grad_norm": chosen.max_grad_norm, "train_sampling_strategy": chosen.sampling, "bf16": used == "bf16",
        "use_cpu": not torch.cuda.is_available(), "save_strategy": "no", "report_to": "none", "disable_tqdm": True,
        "logging_strategy": "no",
    }  # fmt: skip
    return TrainingArguments(output_dir=scratch, **{**given, **own})


def precision(inputs: CellInputs) -> str:
    """What ours computes in on this machine, "fp32" or "bf16": the stock side computes in the same."""
    return training._auxiliary_precision(inputs.cell, inputs.checkpoint)


def encode(inputs: CellInputs, rows: datasets.Dataset, max_length: int) -> datasets.Dataset:
    """The texts as transformers' examples tokenise them, with their labels."""
    texts = ("text", "text_pair") if inputs.task.paired else ("text",)

    def tokenise(batch: dict[str, Any]) -> dict[str, Any]:
        return {**inputs.tokenizer(*(batch[name] for name in texts), truncation=True, max_length=max_length),
                "labels": batch["label"]}  # fmt: skip

    return rows.map(tokenise, batched=True, remove_columns=rows.column_names, load_from_cache_file=False)


def answers(trainer: Trainer, inputs: CellInputs, evaluated: EvaluationSet) -> numpy.ndarray:
    """Right or wrong, bool [n]: the class with the largest logit, by the labels of the set.

    The examples are in the order in which a stock Trainer reads them: not that of the set, where training groups by
    length.
    """
    output = trainer.predict(encode(inputs, evaluated.examples, evaluated.max_length))
    classes = _logits(output.predictions).argmax(-1)
    said = classes if evaluated.fold is None else numpy.array(evaluated.fold)[classes]
    return said == output.label_ids


def _logits(predictions: Any) -> numpy.ndarray:
    """The logits [n, C]; some models answer with more."""
    return predictions[0] if isinstance(predictions, tuple) else predictions


def _rows(
    inputs: CellInputs, seed: int, trainer: str, right: dict[str, numpy.ndarray], steps: int, used: str
) -> list[dict[str, Any]]:
    kinds = {each.name: each.kind for each in inputs.task.evaluation if each.kind != "companion"}
    common = {**place(inputs), "trainer": trainer, "seed": seed, "steps": steps, "device": _device()}
    return [
        {**common, "precision": used, "set": name, "kind": kind, "examples": len(right[name]),
         "accuracy": 100 * float(right[name].mean())}
        for name, kind in kinds.items()
    ]  # fmt: skip


def place(inputs: CellInputs) -> dict[str, Any]:
    """The columns that say what was trained on what."""
    return dict(
        zip(PLACE, (inputs.cell.study, inputs.cell.model.name, inputs.cell.task, len(inputs.train)), strict=True)
    )


def _device() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def run(inputs: CellInputs, trainer: str, seed: int) -> list[dict[str, Any]]:
    """The rows of one run by OURS or STOCK."""
    return {OURS: ours, STOCK: stock}[trainer](inputs, seed)


def run_anew(cell: Cell, trainer: str, seed: int) -> list[dict[str, Any]]:
    """The same in a process that has loaded nothing yet."""
    return run(prepare(replace(cell, seeds=(seed,))), trainer, seed)


def add(rows: pandas.DataFrame, new: list[dict[str, Any]]) -> pandas.DataFrame:
    """All rows in a fixed order; a run that was measured before is replaced."""
    added = pandas.DataFrame(new)
    if not rows.empty:
        again = rows.set_index(KEY).index.isin(added.set_index(KEY).index)
        added = pandas.concat([rows[~again], added], ignore_index=True)
    return added.sort_values(KEY, kind="stable").reset_index(drop=True)
