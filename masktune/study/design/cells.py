"""A cell of a study, and the identity of its runs.

A cell is data x model x task x method with options x training; with a seed it is a run. The id of a run is a hash of
what is scientific alone: paths, devices, numerical precision, display labels and values equal to their default are left
out, so that a run stays the same run on another machine, and an option added later (with the old behaviour as its
default) orphans nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from masktune.errors import MaskTuneError, one_of
from masktune.files import digest
from masktune.models.spec import ModelSpec
from masktune.records import canonical, non_default, record, require, require_name
from masktune.study.design.parsing import seeds_of
from masktune.training.precision import PRECISIONS

CPU_ACCELERATORS = ("auto", "off")
SAMPLINGS = ("group_by_length", "random")
READINGS = ("last", "epochs")
NOT_SCIENTIFIC = ("precision", "cpu_accelerators", "readings")


@dataclass(frozen=True)
class Training:
    """How a model is fine-tuned: AdamW with linear decay. The paper states none of it: the defaults are our choice.

    `epochs` passes over the train set; `learning_rate` at its peak; `batch_size` examples per update; `max_length`
    tokens that a train text (or pair) is cut to; `warmup_ratio` the share of updates with a rising rate;
    `max_grad_norm` the norm that gradients are clipped to (0: not clipped); `train_examples` a fixed random subset,
    the same for every seed (None: all); `sampling` the order of the batches, "group_by_length" (examples of like length
    together) or "random". `evaluation_lengths` are numbers of tokens that out-of-distribution texts are cut to once
    more, besides the length that each set has of its own. `precision` is "auto", "fp32" or "bf16";
    `cpu_accelerators` is "auto" or "off", which trains as torch has it (masktune.training.cpu); `readings` is "last" or
    "epochs", which evaluates every set at the end of each epoch and changes nothing in training. These three are no
    part of a run's identity.
    """

    epochs: float = 3.0
    learning_rate: float = 2e-5
    batch_size: int = 32
    max_length: int = 128
    warmup_ratio: float = 0.06
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    train_examples: int | None = None
    sampling: str = "group_by_length"
    evaluation_lengths: tuple[int, ...] = ()
    precision: str = "auto"
    cpu_accelerators: str = "auto"
    readings: str = "last"

    def __post_init__(self) -> None:
        require(0 < self.epochs <= 1000, "epochs", self.epochs, "a number above 0, at most 1000")
        require(0 < self.learning_rate < 1, "learning_rate", self.learning_rate, "a number between 0 and 1")
        require(self.batch_size >= 1, "batch_size", self.batch_size, "at least 1")
        require(self.max_length >= 8, "max_length", self.max_length, "at least 8 tokens")
        require(0 <= self.warmup_ratio < 1, "warmup_ratio", self.warmup_ratio, "0 or more and below 1")
        require(0 <= self.weight_decay < 1, "weight_decay", self.weight_decay, "0 or more and below 1")
        require(self.max_grad_norm >= 0, "max_grad_norm", self.max_grad_norm, "0 (no clipping) or more")
        if self.train_examples is not None:
            require(self.train_examples >= 1, "train_examples", self.train_examples, "at least 1")
        one_of(self.sampling, SAMPLINGS, "sampling")
        for length in self.evaluation_lengths:
            require(length >= 8, "evaluation_lengths", list(self.evaluation_lengths), "at least 8 tokens each")
        one_of(self.precision, PRECISIONS, "precision")
        one_of(self.cpu_accelerators, CPU_ACCELERATORS, "cpu_accelerators")
        one_of(self.readings, READINGS, "readings")

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What is scientific and differs from the defaults."""
        return non_default(self, leave_out=NOT_SCIENTIFIC)

    @cached_property
    def canonical(self) -> str:
        return canonical(self.identity)


@dataclass(frozen=True)
class Cell:
    """One cell and its seeds. The fields are the parameters of notebooks/cell.ipynb.

    `study` names the folder of results; `label` is how tables call the method; `options` are options of the method,
    `data_options` those of `masktune.data.load`, which change the train set.
    """

    study: str
    label: str
    data: str
    task: str
    model: ModelSpec
    method: str
    options: dict = field(default_factory=dict)
    training: Training = Training()
    seeds: tuple[int, ...] = (0,)
    data_options: dict = field(default_factory=dict)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """The scientific values of the cell that differ from defaults."""
        required = {"data": self.data, "task": self.task, "model": self.model.identity, "method": self.method}
        optional = {
            "options": self.options, "training": self.training.identity, "data_options": self.data_options
        }  # fmt: skip
        return required | {key: value for key, value in optional.items() if value}

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits; the same for every seed."""
        return digest(self._canonical)[:16]

    def run_id(self, seed: int) -> str:
        """16 hexadecimal digits of the sha256 of {"cell": identity, "seed": seed} in canonical JSON."""
        return digest(f'{{"cell":{self._canonical},"seed":{seed}}}')[:16]

    @cached_property
    def _canonical(self) -> str:
        """canonical(self.identity), put together from parts that thousands of cells share."""
        shared = {"model": self.model.canonical, "training": self.training.canonical}
        entries = (f'"{key}":{shared.get(key) or canonical(value)}' for key, value in sorted(self.identity.items()))
        return "{" + ",".join(entries) + "}"

    def parameters(self) -> dict[str, Any]:
        """The cell as parameters of notebooks/cell.ipynb: plain values; from_parameters is the way back."""
        # A tuple would reach the notebook as a text.
        lists = {key: list(value) for key, value in non_default(self.training).items() if isinstance(value, tuple)}
        training = {**non_default(self.training), **lists}
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        return own | {"model": self.model.settings(), "training": training, "seeds": list(self.seeds)}


def from_parameters(**parameters: Any) -> Cell:
    """The cell that notebook parameters describe. Raises MaskTuneError for anything unknown or impossible."""
    from masktune.data import COLLECTIONS, TASKS, check_options

    known = [item.name for item in fields(Cell)]
    for name in parameters:
        one_of(name, known, "parameter of the cell notebook")
    for name in ("study", "label", "data", "task", "model", "method"):
        if name not in parameters:
            raise MaskTuneError(f"parameter {name!r} is missing; expected {', '.join(known)}")
    require_name(str(parameters["study"]), "study")
    one_of(parameters["data"], COLLECTIONS, "data")
    one_of(parameters["task"], TASKS, "task")
    given = dict(parameters)
    given["model"] = record(ModelSpec, parameters["model"], "model")
    given["training"] = record(Training, parameters.get("training", {}), "training")
    given["seeds"] = seeds_of(parameters.get("seeds", (0,)))
    given["options"] = method_options(parameters["method"], parameters.get("options", {}))
    check_options(parameters["data"], parameters.get("data_options", {}))
    return Cell(**given)


def method_options(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that differ from the method's defaults, checked by the method itself."""
    return dict(build_method(method, options).options())


def build_method(method: str, options: Mapping[str, Any]) -> Any:
    """The masktune.methods.Method of that name with these options."""
    from masktune import methods

    require(isinstance(options, Mapping), "options", options, "a table of options of the method")
    return methods.build(method, **options)
