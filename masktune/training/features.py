"""What a method must know of each train example before training: computed once, kept in the cache.

    from masktune import MaskTuningTrainer, methods, prepare

    method = methods.build("mask_tuning+product_of_experts", bias_model="overlap")
    train = prepare(method, train, tokenizer, args, checkpoint="bert-base-uncased", label_names=("no", "yes"))
    trainer = MaskTuningTrainer(model, args, method=method, train_dataset=train, processing_class=tokenizer)

Most methods need nothing and get their train set back as it is. For the others (`Method.needs`) it comes back with a
column for each feature: probabilities of a bias model or a teacher, marks, other texts. A feature is an array of plain
numbers in a safetensors file under $MASKTUNE_CACHE/prepared, in a folder named by all that defines it: the feature's
settings, the tokenised examples and their labels, and, where it depends on them, what tokenizer and checkpoint hold
and the training.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import numpy
import pyarrow
import pyarrow.compute as pc
import safetensors.numpy
import torch
from torch import Tensor
from transformers import (
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainingArguments,
)
from transformers.utils import cached_file

from masktune import cache, files
from masktune.errors import MaskTuneError
from masktune.features import PREFIX, Feature, Texts
from masktune.methods import FineTuning, Method
from masktune.methods.words import decode_texts
from masktune.models.joint import MaskTuningModel
from masktune.models.masked_lm import MaskedLM, load_masked_lm
from masktune.models.spec import content
from masktune.models.weights import loading
from masktune.perturb import Vocabulary
from masktune.streams import derive
from masktune.training.reading.labels import (
    CLASSES,
    IGNORED,
    check_container,
    check_labels,
    is_made_when_read,
    label_column,
    plain,
)
from masktune.training.reading.padding import Padded, without_padding
from masktune.training.trainer import MaskTuningTrainer

FORMAT = 1  # counts up when the code that computes a feature changes what comes out
FILE = "values.safetensors"
# Of TrainingArguments: what the outcome of a training depends on.
TRAINING = (
    "num_train_epochs", "max_steps", "learning_rate", "per_device_train_batch_size", "gradient_accumulation_steps",
    "lr_scheduler_type", "lr_scheduler_kwargs", "warmup_steps", "weight_decay", "max_grad_norm", "adam_beta1",
    "adam_beta2", "adam_epsilon", "optim", "optim_args", "train_sampling_strategy", "data_seed", "bf16", "fp16",
    "dataloader_drop_last", "label_smoothing_factor", "neftune_noise_alpha",
)  # fmt: skip
# And where and in which memory it runs.
MACHINE = (
    "use_cpu", "per_device_eval_batch_size", "eval_accumulation_steps", "auto_find_batch_size", "full_determinism",
    "tf32", "torch_empty_cache_steps", "length_column_name", "optim_target_modules", "dataloader_num_workers",
    "dataloader_pin_memory", "dataloader_prefetch_factor", "dataloader_multiprocessing_context", "dataloader_in_order",
    "activation_checkpointing", "activation_checkpointing_kwargs",
)  # fmt: skip


def prepare(
    method: Method,
    train: datasets.Dataset,
    tokenizer: PreTrainedTokenizerBase,
    args: TrainingArguments,
    checkpoint: str | Path,
    label_names: Sequence[str],
    revision: str | None = None,
    seed: int = 0,
    fast_dropout: bool | None = None,
) -> datasets.Dataset:
    """The train set with the columns that `method` needs.

    `train` is tokenised (input_ids, attention_mask, labels). Auxiliary models start from `checkpoint` (at `revision`)
    and are trained as `args` say, with streams derived from `seed`: one seed for all runs of a study, which varies the
    training and not what it is given; `fast_dropout` is as MaskTuningTrainer's. Raises MaskTuneError for a data set
    that cannot carry columns, and where a feature cannot be computed for these examples.

    >>> method = methods.build("mask_tuning+product_of_experts", bias_model="bag_of_words")
    >>> train = prepare(method, train, tokenizer, args, checkpoint, ["negative", "positive"])
    >>> [name for name in train.column_names if name.startswith("prepared_")]
    ['prepared_bias']
    """
    names = tuple(label_names)
    builder = CachedFeatureBuilder(train, tokenizer, args, str(checkpoint), names, revision, seed, fast_dropout)
    return builder.prepare(method)


@dataclass
class CachedFeatureBuilder:
    """Computes the features of a train set, or reads them from the cache; see `prepare` and `FeatureBuilder`.

    `seconds` is the time that each feature took to compute, also where it was read from the cache: the cost of a
    method does not depend on which one came first.
    """

    train: datasets.Dataset
    tokenizer: PreTrainedTokenizerBase
    args: TrainingArguments
    checkpoint: str
    label_names: tuple[str, ...]
    revision: str | None = None
    base_seed: int = 0
    fast_dropout: bool | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    _saved: float = 0.0
    _padding: Padded | None = None

    def __post_init__(self) -> None:
        self._given: Any = self.train
        if isinstance(self.train, datasets.Dataset):
            self.train, self._padding = without_padding(plain(self.train))

    def prepare(self, method: Method) -> datasets.Dataset:
        """The train set with a column for each feature that the method needs."""
        needs = method.needs
        if not needs:
            return self._given
        self._check(method)
        columns = {PREFIX + name: self._column(feature, name) for name, feature in needs.items()}
        given = plain(self._given)
        seen = given.select_columns([name for name in given.column_names if name not in self._read(needs)])
        return datasets.concatenate_datasets([seen, datasets.Dataset(pyarrow.table(columns))], axis=1)

    def _check(self, method: Method) -> None:
        """Raise MaskTuneError for a train set that cannot carry columns, or has other labels than classes."""
        check_container(self._given)
        if not isinstance(self._given, datasets.Dataset):
            raise MaskTuneError(
                f"the train set is a {type(self._given).__name__}; {method.name!r} adds columns to it, so it must be a "
                "datasets.Dataset: datasets.Dataset.from_list makes one"
            )
        if is_made_when_read(self._given):
            raise MaskTuneError(
                f"the train set is tokenised as it is read (with_transform), and {method.name!r} needs its tokens "
                "beforehand; tokenise it by dataset.map"
            )
        check_labels(self.train, SimpleNamespace(problem_type=CLASSES, num_labels=self.num_labels), method)
        if IGNORED in self.labels:
            raise MaskTuneError(
                f"row {self.labels.index(IGNORED)} of the train set has the label {IGNORED}, which is no class, and "
                f"{method.name!r} judges each example by its class; leave such rows out, by dataset.filter"
            )

    @staticmethod
    def _read(needs: Mapping[str, Feature]) -> set[str]:
        """The columns that only the features read."""
        return {column for feature in needs.values() for column in feature.reads}

    def _column(self, feature: Feature, name: str) -> pyarrow.Array:
        """A feature as a column: a list for each example if it has several numbers for it, else a number."""
        values = self._values(feature, name)
        if values.ndim == 1 and not feature.per_token:
            return pyarrow.array(values)
        if feature.per_token and self._padding is not None:
            values = self._padding.put_around(values)
        ends = self._ends() if feature.per_token else numpy.arange(1, len(values) + 1) * values.shape[1]
        offsets = pyarrow.array(numpy.concatenate([[0], ends]), pyarrow.int64())
        return pyarrow.LargeListArray.from_arrays(offsets, pyarrow.array(values.ravel()))

    def _values(self, feature: Feature, name: str) -> numpy.ndarray:
        """The array of a feature, from the cache or computed now."""
        # "product" is what caches of the first version call a feature, and their folders are named by this record.
        made_of = {"product": type(feature).__name__, "settings": asdict(feature)}
        made_of |= self._identity(feature.depends_on, feature.reads)

        def make(folder: Path) -> None:
            start = time.perf_counter()
            values = feature.compute(self)
            safetensors.numpy.save_file({"values": numpy.ascontiguousarray(values)}, folder / FILE)
            _record(folder, made_of, time.perf_counter() - start + self._saved)

        self._saved = 0.0
        folder = cache.make_once("prepared", name, made_of, make)
        self.seconds[name] = _seconds(folder)
        return safetensors.numpy.load_file(folder / FILE)["values"]

    def _identity(self, depends_on: Sequence[str], reads: Sequence[str] = ()) -> dict[str, Any]:
        """What defines a feature besides its own settings."""
        digests = {
            "words": lambda: self._tokenizer_digest,
            "checkpoint": lambda: [self._checkpoint_digest, self._tokenizer_digest, len(self.label_names)],
            "columns": lambda: {name: self._column_digest(name) for name in reads},
            "training": lambda: {name: str(getattr(self.args, name, None)) for name in TRAINING} | self._accelerated,
        }
        chosen = {name: digests[name]() for name in depends_on}
        return {"examples": self._digest, **chosen, "seed": self.base_seed, "format": FORMAT}

    def _column_digest(self, name: str) -> str:
        """Of a column that only a feature reads; of one that is missing, which the feature refuses, of no values."""
        return files.digest(json.dumps(list(self.train[name]) if name in self.train.column_names else []))

    @property
    def _accelerated(self) -> dict[str, str]:
        """What was asked for, where anything was: what is in the cache of the default keeps its name."""
        return {} if self.fast_dropout is None else {"fast_dropout": str(self.fast_dropout)}

    @cached_property
    def _digest(self) -> str:
        """sha256 of the tokenised examples and their labels."""
        rows = self.train.with_format("arrow")[:]
        digest = hashlib.sha256(numpy.asarray(self.labels, dtype=numpy.int64).tobytes())
        for name in sorted({"input_ids", "token_type_ids", "attention_mask"} & set(rows.column_names)):
            column = rows[name].combine_chunks()
            for array in (pc.list_value_length(column), pc.list_flatten(column)):
                digest.update(name.encode() + array.cast(pyarrow.int64()).to_numpy(zero_copy_only=False).tobytes())
        return digest.hexdigest()

    @cached_property
    def _tokenizer_digest(self) -> str:
        """sha256 of what tells one tokenizer from another: all but how it last padded and cut, which comes with use."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        own = {"vocabulary": self.tokenizer.get_vocab()} if backend is None else json.loads(backend.to_str())
        special = {name: str(token) for name, token in self.tokenizer.special_tokens_map.items()}
        return files.digest(json.dumps([own | {"padding": None, "truncation": None}, special], sort_keys=True))

    @property
    def _checkpoint_digest(self) -> str:
        """What the checkpoint is: the digest of what a folder holds, else its name on the hub and the commit there."""
        if Path(self.checkpoint).is_dir():
            return content(Path(self.checkpoint))
        with loading(self.checkpoint, self.revision):
            config = cached_file(self.checkpoint, "config.json", revision=self.revision or "main")
        # The cache of the hub keeps a commit's files in a folder of its name; not every transformers keeps the commit.
        return f"{self.checkpoint}@{Path(str(config)).parent.name}"

    def _ends(self) -> numpy.ndarray:
        """Up to which token each example goes, padding that the train set was given included. [n]."""
        return numpy.cumsum([len(token_ids) for token_ids in plain(self._given)["input_ids"]])

    # ---- what a feature may use

    @cached_property
    def labels(self) -> list[int]:
        """The label of each train example."""
        return [int(label) for label in self.train[label_column(self.train)]]

    @property
    def num_labels(self) -> int:
        """The number of classes of the task."""
        return len(self.label_names)

    @cached_property
    def texts(self) -> list[Texts]:
        """The words of each train example, of one text or two."""
        return decode_texts(self.train["input_ids"], self.tokenizer)

    @property
    def paired(self) -> bool:
        """Whether examples have two texts."""
        return len(self.texts[0]) == 2

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What the tokenizer says of its tokens."""
        return Vocabulary.of(self.tokenizer)

    def seed(self, purpose: str) -> int:
        """A seed for one purpose."""
        return derive(self.base_seed, "preparation", purpose)

    def load_masked_lm(self) -> MaskedLM:
        """The masked language model of the checkpoint, without dropout."""
        return load_masked_lm(self.checkpoint, self.revision).to(self.args.device).eval()

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """The train examples in their order, without labels, padded, on the device: input_ids ... [B, L]."""
        collate = DataCollatorWithPadding(self.tokenizer)
        known = [name for name in self.train.column_names if name in self.tokenizer.model_input_names]
        for start in range(0, len(self.train), self.args.per_device_eval_batch_size):
            rows = self.train.select_columns(known)[start : start + self.args.per_device_eval_batch_size]
            yield {name: tensor.to(self.args.device) for name, tensor in collate(rows).items()}

    def fine_tune(self, rows: Sequence[int] | numpy.ndarray | None = None, epochs: float | None = None) -> Path:
        """The folder of the checkpoint fine-tuned on these rows (None: all), for so many epochs (None: as `args` say).

        It is kept: a teacher and its attention need one training.
        """
        chosen = None if rows is None else [int(row) for row in rows]
        settings = {} if epochs is None else {"num_train_epochs": epochs, "max_steps": -1}
        made_of = {"rows": chosen, **settings, **self._identity(("checkpoint", "training"))}

        def make(folder: Path) -> None:
            self._train(folder, chosen, settings)
            _record(folder, made_of, time.perf_counter() - start)

        start = time.perf_counter()
        folder = cache.make_once("prepared", "fine-tuned", made_of, make)
        self._saved += max(0.0, _seconds(folder) - (time.perf_counter() - start))
        return folder

    def _train(self, folder: Path, rows: list[int] | None, settings: dict[str, Any]) -> None:
        seed = self.seed("fine-tuning") % 2**31
        model = MaskTuningModel.from_pretrained(
            self.checkpoint, self.label_names, seed, revision=self.revision, encoder=None
        )
        train = self.train if rows is None else self.train.select(rows)
        with tempfile.TemporaryDirectory(prefix="masktune-") as scratch:
            trainer = self._trainer(model, train, seed=seed, output_dir=scratch, **settings)
            trainer.train()
        model.save_pretrained(folder)

    def predict(self, folder: Path) -> numpy.ndarray:
        """What a fine-tuned classifier says of every train example. [n, C] float32."""
        model = MaskTuningModel.from_pretrained(folder, self.label_names, seed=0, encoder=None)
        with tempfile.TemporaryDirectory(prefix="masktune-") as scratch:
            logits = self._trainer(model, self.train, output_dir=scratch).predict(self.train).predictions
        return torch.from_numpy(logits).float().softmax(-1).numpy()

    def attention(self, folder: Path) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        """(batch, attention of a fine-tuned classifier to each token [B, L]), see MaskTuningModel.attention."""
        model = MaskTuningModel.from_pretrained(folder, self.label_names, seed=0, encoder=None)
        model.to(self.args.device).eval()
        for batch in self.batches():
            yield batch, model.attention(batch)

    def _trainer(self, model: MaskTuningModel, train: datasets.Dataset, **settings: Any) -> MaskTuningTrainer:
        """A trainer as the run's own, that evaluates, stores and reports nothing.

        Raises MaskTuneError where several processes would each train one.
        """
        if self.args.world_size > 1:
            raise MaskTuneError(
                "prepare has to train a model, which one process does; call it once in a script that is started "
                "without torchrun: what it computes is kept, and several processes then find it"
            )
        args = helper_arguments(self.args, **settings)
        trainer = MaskTuningTrainer(
            model,
            args,
            method=FineTuning(),
            train_dataset=train,
            processing_class=self.tokenizer,
            fast_dropout=self.fast_dropout,
            advice=False,
        )
        trainer.remove_callback(PrinterCallback)
        return trainer


def helper_arguments(args: TrainingArguments, **settings: Any) -> TrainingArguments:
    """Of the user's arguments what defines a training and where it runs, and of the rest the defaults.

    Nothing is evaluated, stored, reported or sent anywhere.
    """
    kept = {name: getattr(args, name) for name in (*TRAINING, *MACHINE) if hasattr(args, name)}
    quiet = {"eval_strategy": "no", "save_strategy": "no", "report_to": "none", "disable_tqdm": True}
    return TrainingArguments(**{**kept, **quiet, **settings})


def _record(folder: Path, made_of: dict[str, Any], seconds: float) -> None:
    (folder / "record.json").write_text(json.dumps({"made_of": made_of, "seconds": round(seconds, 3)}, indent=1) + "\n")


def _seconds(folder: Path) -> float:
    return json.loads((folder / "record.json").read_text())["seconds"]
