"""The Trainers that are compared. All of them train on the same kind of examples with the same batch size.

stock          transformers.Trainer as run_glue.py calls it: dynamic padding, random batches
stock_padded   the same with run_glue's default, every example padded to 128 tokens
naive          Mask-tuning as one would write it in a stock Trainer: logits over the vocabulary for every token, every
               row in the masked-LM pass, both graphs in one loss
fine_tuning    our fine-tuning: MaskTuningTrainer
mask_tuning    our Mask-tuning: MaskTuningTrainer, on a CPU with both of its accelerators (masktune.training.cpu)

and, to see what each accelerator gains alone,

torch_dropout          our Mask-tuning without fast dropout
torch_word_gradient    our Mask-tuning without the fast gradient of word embeddings
torch_both             our Mask-tuning with neither: the reference implementation

The stock arms compute in fp32 on a CPU and in bf16 on a GPU; ours choose by themselves
(masktune.training.precision), as the study does.
"""

import random
from collections.abc import Iterator
from typing import Any

import datasets
import numpy
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import Sampler
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.models.bart.modeling_bart import shift_tokens_right

from benchmarks import sizes
from benchmarks.lengths import LONGEST
from benchmarks.report import ARMS
from benchmarks.sizes import Size
from masktune import perturb
from masktune.errors import one_of
from masktune.methods import FineTuning, MaskTuning
from masktune.methods.base import Batch
from masktune.models.joint import MaskTuningModel
from masktune.models.masked_lm import MaskedLM
from masktune.training import precision
from masktune.training.sampling import lengths_of
from masktune.training.trainer import MaskTuningTrainer

WARM_UP = 1
ALPHA, MASK_RATE = 0.6, 0.05
# Our Mask-tuning, by what is switched off.
MASK_TUNING = {
    "mask_tuning": {},
    "torch_dropout": {"fast_dropout": False},
    "torch_word_gradient": {"fast_word_gradient": False},
    "torch_both": {"fast_dropout": False, "fast_word_gradient": False},
}


class TwoHeads(nn.Module):
    """A classifier and a masked language model on one encoder, as a stock Trainer takes it."""

    def __init__(self, classifier: PreTrainedModel):
        super().__init__()
        self.classifier = classifier
        self.masked_lm = sizes.masked_lm(classifier)


class FewBatches(Trainer):
    """A Trainer that takes the longest batch of an epoch to warm up, and `size.steps` that stand for the rest.

    Grouping by length looks at thousands of examples at a time; an epoch of a few batches would not show it. So the
    batches of a long epoch are put in as many groups of like length as there are steps, and of each group the one
    nearest to its mean is taken. With the longest batch among them, peak memory is that of the whole epoch.
    """

    def __init__(self, *arguments: Any, size: Size, **named: Any):
        self.size = size
        super().__init__(*arguments, **named)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler:
        sampler = super()._get_train_sampler(train_dataset)
        assert sampler is not None  # the examples have a length
        order = numpy.array(list(sampler))
        batches = order.reshape(-1, self.size.batch_size)
        lengths: numpy.ndarray = numpy.array(lengths_of(self.train_dataset))
        longest = lengths[batches].max(1)
        by_length = longest.argsort(kind="stable")
        timed = [_find_nearest_to_mean(group, longest) for group in numpy.array_split(by_length, self.size.steps)]
        random.Random(self.args.seed).shuffle(timed)
        return Listed(batches[[by_length[-1], *timed]].ravel().tolist())


class Listed(Sampler):
    """Examples in a given order."""

    def __init__(self, order: list[int]):
        self.order = order

    def __iter__(self) -> Iterator[int]:
        return iter(self.order)

    def __len__(self) -> int:
        return len(self.order)


def _find_nearest_to_mean(group: numpy.ndarray, values: numpy.ndarray) -> int:
    """The member of a group of indices whose value lies nearest to the mean of the group."""
    return group[numpy.abs(values[group] - values[group].mean()).argmin()]


class Stock(FewBatches):
    """Plain fine-tuning."""


class Naive(FewBatches):
    """Mask-tuning by overriding `compute_loss`, without a thought for its cost."""

    def compute_loss(
        self,
        model: nn.Module,
        inputs: Batch,
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Tensor:
        assert isinstance(model, TwoHeads) and self.processing_class is not None
        input_ids, labels = inputs["input_ids"], inputs["labels"]
        others = {name: values for name, values in inputs.items() if name not in ("input_ids", "labels")}
        vocabulary = perturb.Vocabulary.of(self.processing_class)
        candidates = perturb.maskable(input_ids, others["attention_mask"], vocabulary)
        positions = (torch.rand(input_ids.shape, device=input_ids.device) < MASK_RATE) & candidates
        masked = input_ids.masked_fill(positions, vocabulary.mask_id)
        if self.size.family == "bart":
            decoder = {"decoder_input_ids": shift_tokens_right(input_ids, sizes.PAD, sizes.SEP)}
        else:
            decoder = {}
        logits = model.masked_lm(input_ids=masked, **others, **decoder).logits
        mlm_loss = cross_entropy(logits.flatten(0, 1), input_ids.masked_fill(~positions, -100).flatten())
        perturbed = torch.where(positions, logits.argmax(-1), input_ids)
        classification = model.classifier(input_ids=perturbed, labels=labels, **others).loss
        return ALPHA * mlm_loss + (1 - ALPHA) * classification


class Ours(FewBatches, MaskTuningTrainer):
    """Any method of the package."""


def make_trainer(
    arm: str, size: Size, examples: datasets.Dataset, callback: TrainerCallback, folder: str, seed: int
) -> FewBatches:
    """The Trainer of an arm with a fresh model, for one epoch over the examples."""
    classifier = sizes.classifier(size, seed)
    model, kind, ours = _model_and_trainer(arm, classifier)
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        model.to("cuda")
    arguments = TrainingArguments(
        output_dir=folder,
        seed=seed,
        num_train_epochs=1,
        per_device_train_batch_size=size.batch_size,
        train_sampling_strategy="group_by_length" if ours else "random",
        bf16=precision.choose("auto", classifier.config, classifier.device) == "bf16" if ours else on_gpu,
        use_cpu=not on_gpu,
        remove_unused_columns=False,
        logging_strategy="no",
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    tokenizer = sizes.tokenizer(size)
    padding: dict[str, Any] = {"padding": "max_length", "max_length": LONGEST} if arm == "stock_padded" else {}
    made = kind(
        model=model,
        args=arguments,
        train_dataset=examples,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer, **padding),
        callbacks=[callback],
        size=size,
        **ours,
    )
    made.remove_callback(PrinterCallback)
    return made


def _model_and_trainer(arm: str, classifier: PreTrainedModel) -> tuple[nn.Module, type[FewBatches], dict[str, Any]]:
    """The model as the arm's Trainer takes it, the Trainer, and for ours the method and what is switched off."""
    match one_of(arm, ARMS, "arm"):
        case "naive":
            return TwoHeads(classifier), Naive, {}
        case "fine_tuning":
            return MaskTuningModel(classifier), Ours, {"method": FineTuning(), "advice": False}
        case "mask_tuning" | "torch_dropout" | "torch_word_gradient" | "torch_both":
            model = MaskTuningModel(classifier, MaskedLM(sizes.masked_lm(classifier)))
            method = MaskTuning(alpha=ALPHA, mask_rate=MASK_RATE)
            return model, Ours, {"method": method, "advice": False, **MASK_TUNING[arm]}
    return classifier, Stock, {}


def make_examples(size: Size, lengths: numpy.ndarray, seed: int) -> datasets.Dataset:
    """Random token ids of these lengths between [CLS] and [SEP], with random labels."""
    generator = numpy.random.default_rng(seed)
    rows = [
        [sizes.CLS, *generator.integers(len(sizes.SPECIAL), size.vocabulary, length - 2).tolist(), sizes.SEP]
        for length in lengths
    ]
    columns = {"input_ids": rows, "attention_mask": [[1] * len(row) for row in rows]}
    if size.family == "bert":
        columns["token_type_ids"] = [[0] * len(row) for row in rows]
    return datasets.Dataset.from_dict({**columns, "labels": generator.integers(sizes.CLASSES, size=len(rows)).tolist()})
