"""What all runs of a training share: files read, columns chosen, parts split, texts tokenised, a checkpoint found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from masktune import methods
from masktune.data import encode
from masktune.errors import MaskTuneError
from masktune.methods import MaskTuning, Method
from masktune.own import class_weights, starts
from masktune.own.data import checks, columns, examples, reading, split
from masktune.own.data.columns import Columns
from masktune.own.data.examples import Examples
from masktune.own.settings import RECOMMENDED, Settings, option
from masktune.own.starts import Start

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedTokenizerBase

FORMAT = 1  # of a training's folder: counts up when the code that trains changes what comes out
SAMPLED = 10_000  # texts from which the length is told
LENGTHS = (64, 128, 256)  # that are chosen unasked, the shortest that cuts few texts
CUT = 0.05  # the share of texts that may be cut unasked
SPLIT_OFF = ("validation", "test")
TEXT_COLUMNS = ("text", "text_pair")


@dataclass(frozen=True)
class Data:
    """The examples of a training by part: train, validation, test, then the out-of-distribution files by name."""

    columns: Columns
    names: tuple[str, ...]
    whole: Examples
    parts: dict[str, Examples]

    @property
    def outside(self) -> list[str]:
        """The parts that are out of distribution."""
        return [name for name in self.parts if name not in split.PARTS]


@dataclass(frozen=True)
class Length:
    """After how many tokens the texts of a part are cut, and the share of them that is longer."""

    tokens: int
    share_cut: float


@dataclass(frozen=True)
class Inputs:
    """The data of a training, tokenised, and the checkpoint that it starts from."""

    settings: Settings
    data: Data
    start: Start
    encoded: dict[str, datasets.Dataset]
    lengths: dict[str, Length]
    learning_rate: float

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes, in the order of the logits."""
        return self.data.names

    def identity(self) -> dict[str, Any]:
        """What decides the result of every run: settings, files, checkpoint."""
        return {
            "settings": self.settings.identity(),
            "data": identify(self.data),
            "checkpoint": self.start.identity,
            "adapted steps": self.settings.adapt,
            "length of texts": {name: length.tokens for name, length in self.lengths.items()},
            "peak learning rate": self.learning_rate,
            "format": FORMAT,
        }

    def method(self, key: str) -> Method:
        """The method of that name, with class weights where they are asked for."""
        return build_method(key, self.settings, self.data.parts["train"].counts)


def identify(data: Data) -> dict[str, str]:
    """The sha256 of each file by what it is for."""
    given = {"train": data.whole.sha256}
    own = {name: part.sha256 for name, part in data.parts.items() if part.sha256 != data.whole.sha256}
    return given | own


def read_examples(file: str, found: Columns, renamed: Mapping[str, str]) -> Examples:
    """The examples of another file with the same columns."""
    rows = reading.read(file)
    return examples.collect(rows, columns.same(rows, found), renamed)


def load_data(settings: Settings) -> Data:
    """Read and split. Raises MaskTuneError for files, columns and labels that cannot be trained on."""
    rows = reading.read(settings.file)
    found = columns.choose(rows, settings.text, settings.label, cluster=settings.cluster)
    whole = examples.collect(rows, found, settings.renames)
    assert found.label is not None  # asked for
    fault = examples.fault_of_labels(whole, found.label, settings.renames)
    if fault:
        raise MaskTuneError(f"{settings.file}: {fault}")
    given = {name: getattr(settings, name) for name in SPLIT_OFF if getattr(settings, name) is not None}
    parts = split.split(whole, tuple(part for part in split.PARTS if part not in given))
    parts |= {name: read_examples(file, found, settings.renames) for name, file in given.items()}
    parts = {name: parts[name] for name in split.PARTS}
    for file in settings.ood:
        parts[_name(file, parts)] = read_examples(file, found, settings.renames)
    names = tuple(whole.counts)
    for part in parts.values():
        _check_part(part, names)
    return Data(found, names, whole, parts)


def _name(file: str, taken: Mapping[str, Any]) -> str:
    """A short name for a file of texts that come from elsewhere."""
    stem = name = file.rstrip("/").replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or file
    number = 2
    while name in taken:
        name, number = f"{stem} {number}", number + 1
    return name


def _check_part(part: Examples, names: Sequence[str]) -> None:
    if not len(part):
        raise MaskTuneError(f"{part.name}: no row has a text and a label")
    unknown = sorted(set(part.labels) - set(names))
    if unknown:
        raise MaskTuneError(
            f"{part.name}: the label {unknown[0]!r} is none of the classes that are trained ({', '.join(names[:10])}); "
            + option("--rename-labels", f"{unknown[0]}=NAME")
        )


def load(settings: Settings) -> Inputs:
    """Everything that comes before the first run. Raises MaskTuneError for what cannot be trained on."""
    for key in settings.methods:
        build_method(key, settings)  # refused before anything takes time
    data = load_data(settings)
    train = data.parts["train"]
    start = starts.find(settings, train.texts)
    lengths = {
        name: choose_length(start.tokenizer, part.texts, start.longest, settings.max_length)
        for name, part in data.parts.items()
    }
    # Parts of one file are cut alike, and what comes from elsewhere by its own texts.
    lengths |= {name: lengths["train"] for name, part in data.parts.items() if part.sha256 == data.whole.sha256}
    encoded = {
        name: encode.encode(part.dataset(data.names), start.tokenizer, lengths[name].tokens, keep=TEXT_COLUMNS)
        for name, part in data.parts.items()
    }
    return Inputs(settings, data, start, encoded, lengths, settings.learning_rate or start.learning_rate)


def token_lengths(tokenizer: PreTrainedTokenizerBase, texts: Sequence[tuple[str, ...]]) -> list[int]:
    """The number of tokens of texts or pairs, special tokens included; of SAMPLED of them, evenly spread."""
    chosen = texts[:: max(1, len(texts) // SAMPLED)]
    columns_of_text = [list(column) for column in zip(*chosen, strict=True)]
    return [len(ids) for ids in tokenizer(*columns_of_text, verbose=False)["input_ids"]]


def choose_length(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[tuple[str, ...]], longest: int, given: int | None = None
) -> Length:
    """The tokens that are `given`, else the shortest of LENGTHS that cuts at most CUT of the texts.

    Where each of LENGTHS cuts more, the longest of them that the model reads.
    """
    lengths = token_lengths(tokenizer, texts)
    readable = [length for length in LENGTHS if length <= longest] or [longest]
    chosen = next((length for length in readable if checks.share_cut(lengths, length) <= CUT), readable[-1])
    return Length(given or chosen, checks.share_cut(lengths, given or chosen))


def build_method(key: str, settings: Settings, counts: Mapping[str, int] | None = None) -> Method:
    """The method of that name. Options of Mask-tuning are those of the user's own method, not of the compared ones.

    `counts` of the classes in the train part give the class weights, where the settings ask for them.
    """
    own = {"alpha": settings.alpha, "mask_rate": settings.mask_rate} if key == settings.method else {}
    options = {name: value for name, value in own.items() if value is not None}
    method = recommended(**options) if key == RECOMMENDED else methods.build(key, **options)
    if settings.class_weights == "balanced":
        weights = class_weights.balanced(counts or {"": 1})
        method = methods.combine(method, class_weights.ClassWeights(weights))
    if not method.classifies:
        raise MaskTuneError(f"the method {key!r} with these options trains no classifier; choose an --alpha below 1")
    return method


def recommended(**options: Any) -> Method:
    """Mask-tuning in the setting that the project's studies support for trainings of any length."""
    return replace(MaskTuning.recommended(), **options)


def title(key: str) -> str:
    """What a method is called in tables."""
    if key == RECOMMENDED:
        return "Mask-tuning (recommended)"
    return methods.build(key).label
