"""The grid of a study: which methods, with which options and training, on which models, tasks and seeds."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from masktune.data import check_options
from masktune.errors import MaskTuneError
from masktune.models.spec import Adaptation
from masktune.records import among, record, require
from masktune.study.design.cells import Training, build_method
from masktune.study.design.parsing import restriction, seeds_of

# The chapter that a row is for. The main tables and figures show "main" alone.
PARTS = ("main", "ablation", "baseline", "control", "combination")


@dataclass(frozen=True)
class Variant:
    """One setting of a grid row.

    It has a label in tables, the method's options that differ from their defaults, and the settings of training that
    differ from the task's. `needs_pairs`: the method is for tasks of two texts alone; `whole_epochs`: its second stage
    follows whole epochs.
    """

    label: str
    options: dict[str, Any]
    training: dict[str, Any]
    needs_pairs: bool = False
    whole_epochs: bool = False


@dataclass(frozen=True)
class GridRow:
    """One [[grid]] table: a method with options and training (a list is swept), on some models, tasks and seeds.

    `data_options` are those of `masktune.data.load`, which change the train set: a control. `adaptation` is for the
    models of this row alone: task-adaptive pretraining next to rows without it. In a study that
    tunes, `tune` adds own settings to the space that is searched, and `tuned_as` takes what was chosen for another
    label: a control must share the training of what it controls.
    """

    label: str
    method: str
    variants: tuple[Variant, ...]
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    part: str = "main"
    adaptation: Adaptation | None = None
    tune: dict[str, list] = field(default_factory=dict)
    tuned_as: str | None = None
    data_options: dict[str, Any] = field(default_factory=dict)


def parse_row(
    table: Mapping[str, Any], names: dict[str, tuple[str, ...]], seeds: tuple[int, ...], data: str
) -> GridRow:
    """One [[grid]] table; every key that is not the row's own is an option of its method, which checks it."""
    options = dict(table)
    label, method = (_text(options, key) for key in ("label", "method"))
    where = f"[[grid]] {label!r}"
    chosen = {key: restriction(options.pop(key, None), names[key], key, where) for key in ("models", "tasks")}
    adaptation = options.pop("adaptation", None)
    tune, tuned_as = options.pop("tune", {}), options.pop("tuned_as", None)
    require(isinstance(tune, Mapping), f"{where} tune", tune, "a table of settings with lists of values")
    own_seeds = seeds_of(options.pop("seeds"), f"{where} seeds") if "seeds" in options else seeds
    data_options = options.pop("data_options", {})
    require(isinstance(data_options, Mapping), f"{where} data_options", data_options, "a table of options of the data")
    part = among(options.pop("part", "main"), PARTS, "part", where)
    training = options.pop("training", {})
    require(isinstance(training, Mapping), f"{where} training", training, "a table of settings of [training]")
    try:
        check_options(data, data_options)
        variants = tuple(_variants(label, method, options, training))
    except MaskTuneError as error:
        raise MaskTuneError(f"{where}: {error}") from None
    if adaptation is not None:
        adaptation = record(Adaptation, adaptation, f"{where} adaptation")
    return GridRow(
        label, method, variants, chosen["models"], chosen["tasks"], own_seeds, part, adaptation, dict(tune), tuned_as,
        dict(data_options),
    )  # fmt: skip


def _variants(label: str, method: str, options: Mapping[str, Any], training: Mapping[str, Any]) -> Iterable[Variant]:
    """One variant for each combination of what is swept; the values of what varies join the label."""
    given = {**options, **training}
    require(len(given) == len(options) + len(training), "training", dict(training), "no key that is an option as well")
    for key, value in given.items():
        require(value != [], key, value, "at least one value")
    swept = [key for key, value in given.items() if isinstance(value, list) and len(value) > 1]
    choices = [value if isinstance(value, list) else [value] for value in given.values()]
    for values in itertools.product(*choices):
        setting = dict(zip(given, values, strict=True))
        varying = ", ".join(f"{key} {setting[key]}" for key in swept)
        own = {key: setting[key] for key in training}
        record(Training, own, "training")
        chosen = build_method(method, {key: setting[key] for key in options})
        full_label = f"{label} ({varying})" if varying else label
        yield Variant(full_label, chosen.options(), own, chosen.needs_pairs, chosen.second_stage is not None)


def _text(table: dict[str, Any], key: str) -> str:
    value = table.pop(key, None)
    require(isinstance(value, str) and value.strip() != "", f"[[grid]] {key}", value, "a text")
    return value


def check_labels(grid: tuple[GridRow, ...]) -> None:
    """Raise MaskTuneError if a label occurs twice for one model and task; its rows may share out models and tasks."""
    seen: set[tuple[str, str, str]] = set()
    for row in grid:
        for variant, model, task in itertools.product(row.variants, row.models, row.tasks):
            place = (variant.label, model, task)
            if place in seen:
                raise MaskTuneError(
                    f"[[grid]] label = {variant.label!r} occurs twice for {model}, {task}; give each row its own label"
                )
            seen.add(place)
