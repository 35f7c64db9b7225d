"""What the studies were made with: models and what their upstream training read, hardware and hours, licences."""

from collections.abc import Iterable

import pandas as pd

from masktune.analysis import language_models
from masktune.analysis.formatting import DASH
from masktune.analysis.summary.records import Record
from masktune.data.catalogue import CARDS
from masktune.models.spec import EMBEDDED
from masktune.study.execute.efficiency import PURE

SAID = ["source", "licence", "saw"]
NOT_DECLARED = "not declared"


def upstream(records: Iterable[Record]) -> list[list[str]]:
    """For each checkpoint: the studies, its source and licence, what it read, the loss of its head on held-out text."""
    frames = [_models(record) for record in records]
    every = pd.concat(frames, ignore_index=True)
    every["checkpoint"] = [_title(checkpoint) for checkpoint in every["checkpoint"]]
    return [[title, *_told(own)] for title, own in every.groupby("checkpoint", sort=False)]


def _models(record: Record) -> pd.DataFrame:
    """The models of a study, as it describes them, with the held-out losses that its finished runs started from."""
    frame = language_models.numbers.sources(record.study).assign(study=f"`{record.name}`")
    trained = language_models.numbers.trained(record.done)
    losses = trained.groupby("model")["loss"].agg(["min", "max"])
    return frame.join(losses, on="model")


def _title(checkpoint: str) -> str:
    return "the embedded world's" if checkpoint.startswith(EMBEDDED) else f"`{checkpoint}`"


def _told(own: pd.DataFrame) -> list[str]:
    """Cells of one checkpoint; where several studies use it, the longest that one of them says."""
    source, licence, saw = (max(own[name], key=lambda text: (text != NOT_DECLARED, len(text))) for name in SAID)
    return [", ".join(own["study"].unique()), source, licence, saw, _losses(own["min"].min(), own["max"].max())]


def _losses(low: float, high: float) -> str:
    """The lowest and highest held-out loss in nats."""
    if pd.isna(low):
        return DASH
    return f"{low:.2f}" if round(low, 2) == round(high, 2) else f"{low:.2f} to {high:.2f}"


def seconds(record: Record) -> pd.Series:
    """Seconds of training and evaluation of each stored finished run."""
    columns = [name for name in PURE if name in record.done]
    return record.done[columns].sum(axis=1)


def hours(record: Record) -> list[list[str]]:
    """Study, hardware, number of runs and hours, a row for each kind of hardware."""
    if not record.has_results:
        return []
    hardware = [_hardware(row) for row in record.done.to_dict("records")]
    return [
        [f"`{record.name}`", name, f"{len(own):,}", f"{own.sum() / 3600:.1f}"]
        for name, own in seconds(record).groupby(hardware)
    ]


def _hardware(row: dict) -> str:
    """`cpu, AMD EPYC, 1 thread`, as far as the run says it."""
    device, processor, threads = (row.get(name) for name in ("device", "processor", "threads"))
    parts = [str(value) for value in (device, processor) if isinstance(value, str) and value]
    if threads is not None and not pd.isna(threads):
        parts.append(f"{int(threads)} thread{'s' * (int(threads) != 1)}")
    return ", ".join(dict.fromkeys(parts)) or "not stored"


def licences() -> dict[str, list[str]]:
    """By licence, the real sets that have it, each source once."""
    found: dict[str, list[str]] = {}
    for card in CARDS.values():
        title = card.name.rpartition("/")[0] or card.name
        if title not in found.setdefault(card.licence, []):
            found[card.licence].append(title)
    return found
