"""Trainings by several processes and by one: `torchrun --nproc-per-node 2 tests/processes.py CHECKPOINTS FOLDER CASE`.

CHECKPOINTS are a JSON object of folders by family. What comes out of each CASE, one of CASES, goes to FOLDER.
"""

import gc
import json
import random
import sys
from pathlib import Path

import torch
from datasets import Dataset
from tiny_models import WORDS
from tiny_runs import classifier, losses, weights
from transformers import AutoTokenizer, TrainingArguments

from masktune import MaskTuningTrainer, methods

GLOBAL_BATCH = 8
MASKS = {"mask_rate": 0.3}
# What is trained: a method, its options, and what else differs from the usual. Of 29 examples the last batch of 8 has
# 5, of 33 one: for the second process nothing is left of it.
CASES = {
    "fine-tuning": {"method": "fine_tuning"},
    "Mask-tuning": {"method": "mask_tuning", **MASKS},
    "one process without examples in the last batch": {"method": "mask_tuning", **MASKS, "examples": 33},
    "fewer examples than a batch": {"method": "mask_tuning", **MASKS, "examples": 3},
    "few masks": {"method": "mask_tuning", "mask_rate": 0.02},
    "mean over all maskable tokens": {"method": "mask_tuning", **MASKS, "reduction": "maskable", "examples": 33},
    "accumulation": {"method": "mask_tuning", **MASKS, "args": {"gradient_accumulation_steps": 3}},
    "clipped": {"method": "mask_tuning", **MASKS, "args": {"max_grad_norm": 0.05}},
    "equal norms": {"method": "mask_tuning", **MASKS, "reduction": "equalised", "examples": 33},
    "measured": {"method": "mask_tuning", **MASKS, "measure": True, "examples": 33},
    "every draw": {
        "method": "mask_tuning", **MASKS, "fill": "sample", "symbol": "bert", "positions": "at_least_one",
    },
    "exact count of random tokens": {"method": "mask_tuning", **MASKS, "fill": "random", "positions": "exact"},
    "soft fill": {"method": "mask_tuning", **MASKS, "fill": "soft", "fill_gradient": True},
    "filter": {"method": "mask_tuning", **MASKS, "classify": "both", "keep": "correct"},
    "batches of like length": {
        "method": "mask_tuning", **MASKS, "args": {"train_sampling_strategy": "group_by_length"}
    },
    "BART": {"method": "mask_tuning", **MASKS, "family": "bart"},
    "MASKER": {"method": "masker", "keyword_weight": 1.0, "entropy_weight": 1.0},
    "copies": {"method": "mlm_augmentation"},
    "FreeLB": {"method": "mask_tuning+free_lb", **MASKS, "examples": 33},
    "R-Drop": {"method": "r_drop", "examples": 33},
    "HiddenCut": {"method": "hidden_cut"},
    "Product of Experts": {"method": "mask_tuning+product_of_experts", **MASKS},
    "reweighting": {"method": "reweighting", "examples": 33},
    "class weights": {"method": "mask_tuning", **MASKS, "weights": [0.3, 1.7], "examples": 33},
    "label smoothing": {"method": "mask_tuning", **MASKS, "args": {"label_smoothing_factor": 0.1}},
    "several labels": {"method": "mask_tuning", **MASKS, "problem": "multi_label_classification", "examples": 33},
    "regression": {"method": "mask_tuning", **MASKS, "problem": "regression"},
    "some without a label": {"method": "mask_tuning", **MASKS, "keep": "correct", "labelled": 2, "examples": 33},
    "most without a label": {
        "method": "mask_tuning+reweighting", **MASKS, "labelled": 6, "args": {"gradient_accumulation_steps": 2}
    },
    "no label in a batch": {"method": "fine_tuning", "labelled": 15, "examples": 33},
    "class weights, some without a label": {"method": "mask_tuning", **MASKS, "weights": [0.3, 1.7], "labelled": 2},
    "stream": {"method": "mask_tuning", **MASKS, "stream": True, "args": {"max_steps": 6}},
    "second stage": {"method": "forgettable", "second_epochs": 2},
}  # fmt: skip

USUAL = {
    "examples": 29, "family": "bert", "args": {}, "measure": False, "problem": None, "weights": None, "stream": False,
    "labelled": 1,  # one example in so many
}  # fmt: skip


def rows(tokenizer, count):
    """Examples of many lengths, with every column that a method may need."""
    chooser = random.Random(0)
    texts = [" ".join(chooser.choice(WORDS) for _ in range(chooser.randint(2, 12))) for _ in range(count)]
    read = tokenizer(texts)
    draws = torch.rand(count, 2, generator=torch.Generator().manual_seed(0)).softmax(-1)
    copies = {f"prepared_copy_{number}": read["input_ids"] for number in range(4)}
    return Dataset.from_dict(
        {
            **read, **copies,
            "labels": [number % 2 for number in range(count)],
            "prepared_bias": draws.tolist(),
            "prepared_keywords": [[token % 3 == 0 for token in tokens] for tokens in read["input_ids"]],
            "prepared_forgotten": [number % 3 == 0 for number in range(count)],
        }
    )  # fmt: skip


def train(checkpoints, folder, name, processes):
    """The trained case `name` with the same batch for any number of processes."""
    case = {**USUAL, **CASES[name]}
    own = {key: case.pop(key) for key in USUAL}
    checkpoint = checkpoints[own["family"]]
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    args = {
        "output_dir": str(folder), "use_cpu": True, "report_to": "none", "disable_tqdm": True, "num_train_epochs": 2,
        "per_device_train_batch_size": GLOBAL_BATCH // processes, "logging_steps": 1, "save_strategy": "no",
        "learning_rate": 0.05, "optim": "sgd", "seed": 1, "per_device_eval_batch_size": 4, **own["args"],
    }  # fmt: skip
    data = rows(tokenizer, own["examples"])
    model = classifier(checkpoint)
    if own["problem"]:
        labels = torch.rand(len(data), 2, generator=torch.Generator().manual_seed(1)).round(decimals=2)
        data = data.remove_columns("labels").add_column("labels", labels.tolist())
        model.config.problem_type = own["problem"]
    evaluated = data
    if own["labelled"] > 1:
        labels = [label if row % own["labelled"] == 0 else -100 for row, label in enumerate(data["labels"])]
        data = data.remove_columns("labels").add_column("labels", labels)
    if own["stream"]:  # accelerate puts the rows of all processes into one tensor before it deals them out
        data = data.map(lambda row: tokenizer.pad(row, padding="max_length", max_length=16)).to_iterable_dataset()
    weights = torch.tensor(own["weights"]) if own["weights"] else None

    def weighted(output, labels, num_items_in_batch):
        """As the documentation of transformers has it."""
        total = torch.nn.functional.cross_entropy(output["logits"], labels, weights, reduction="sum")
        return total / num_items_in_batch

    trainer = MaskTuningTrainer(
        model,
        TrainingArguments(**args),
        method=methods.build(case.pop("method"), **case),
        compute_loss_func=weighted if own["weights"] else None,
        train_dataset=data,
        eval_dataset=evaluated,
        processing_class=tokenizer,
        measure_gradients=own["measure"],
    )
    trainer.train()
    return trainer


def logged(trainer):
    """What the logs of the steps hold, but for times."""
    kept = ("loss", "grad_norm", "learning_rate", "norm_", "cosine_")
    return [
        {name: value for name, value in entry.items() if name.startswith(kept)}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]


def main(checkpoints, folder, *names):
    for name in names:
        trainer = train(json.loads(checkpoints), Path(folder) / "run", name, processes=2)
        rank = trainer.args.process_index
        predicted = trainer.predict(trainer.eval_dataset)
        torch.save(weights(trainer), Path(folder) / f"{name}.{rank}.weights")
        report = {"logged": logged(trainer), "predictions": predicted.predictions.tolist(), "losses": losses(trainer)}
        (Path(folder) / f"{name}.{rank}.json").write_text(json.dumps(report))


if __name__ == "__main__":
    gc.freeze()  # as in conftest.py: each training collects garbage
    main(*sys.argv[1:])
