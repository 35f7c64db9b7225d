"""What the cost comes to, in sentences."""

from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis import names, provenance
from masktune.analysis.cost import benchmarks, numbers
from masktune.analysis.cost.formatting import duration, ratio
from masktune.analysis.formatting import count
from masktune.study.execute import efficiency

if TYPE_CHECKING:
    from IPython.display import Markdown

ASKED_SHARE = 0.75  # of the workers' time that should be training and evaluation


def answer(runs: pd.DataFrame) -> "Markdown":
    """One paragraph that answers question Q3: what Mask-tuning costs compared with fine-tuning."""
    from IPython.display import Markdown

    frame = numbers.overhead(runs)
    labels = runs.loc[runs["method"] == "mask_tuning", "label"]
    frame = frame[frame["second"] == (labels.iloc[0] if len(labels) else None)]
    if frame.empty:
        return Markdown("No finished run of Mask-tuning shares its seed with one of fine-tuning yet.")
    by_provenance = frame.groupby(provenance.describe_rows(frame), sort=False)
    sentences = []
    for made, rows in by_provenance:
        if len(by_provenance) > 1:
            sentences.append(f"Runs in {made}:")
        sentences += [*_price(rows), _energy(rows), _by_size(rows), _by_data(rows)]
    return Markdown(" ".join([*sentences, *_benchmark()]))


def _price(frame: pd.DataFrame) -> list[str]:
    first, second = frame[["first", "second"]].iloc[0]
    least, most = frame.loc[frame["time"].idxmin()], frame.loc[frame["time"].idxmax()]
    span = f", from {_at(least)} to {_at(most)}" if len(frame) > 1 else ""
    mean = ratio(numbers.geometric_mean(frame["time"]))
    sentences = [
        f"**{second} takes {mean} times the training time of {first}**{span}; the "
        f"interval of {int((frame['low'] > 1).sum())} of {count(pd.Series([len(frame)]), 'comparison')} (model x task, "
        f"{count(frame['seeds'], 'paired seed')}) lies above 1."
    ]
    memory = frame["memory"].dropna()
    if len(memory):
        sentences.append(f"Its peak memory is {ratio(numbers.geometric_mean(memory))} times as high.")
    return sentences


def _at(row: pd.Series) -> str:
    return f"{ratio(row['time'])} ({names.model(row['model'])}, {names.task(row['task']).lower()})"


def _energy(frame: pd.DataFrame) -> str:
    measured = frame["energy"].dropna()
    if measured.empty:
        return "Its energy was not measured: no counter of it could be read where these runs were made."
    return f"It takes {ratio(numbers.geometric_mean(measured))} times the energy."


def _by_size(frame: pd.DataFrame) -> str:
    """The factor at the smallest and the largest model."""
    sizes = frame.dropna(subset="parameters").groupby("model", sort=False, observed=True)
    if not len(sizes):
        return "These runs do not say how many parameters their models have, so nothing is said about model size."
    by_model = sizes.agg(parameters=("parameters", "mean"), time=("time", numbers.geometric_mean))
    least, most = (by_model.loc[by_model["parameters"].agg(end)] for end in ("idxmin", "idxmax"))
    if most["parameters"] < 2 * least["parameters"]:
        return f"All models are of about one size ({_millions(least)} to {_millions(most)} million parameters)."
    ends = (f"{ratio(row['time'])} at {_millions(row)} million parameters" for row in (least, most))
    return f"By model size the factor is {' and '.join(ends)}."


def _millions(row: pd.Series) -> str:
    return f"{row['parameters'] / 1e6:.3g}"


def _by_data(frame: pd.DataFrame) -> str:
    """The factor at the smallest and the largest number of training examples."""
    by_size = frame.groupby("examples")["time"].agg(numbers.geometric_mean)
    if len(by_size) < 2:
        return f"Every run reads {by_size.index[0]:,.0f} training examples."
    ends = (f"{ratio(by_size.iloc[end])} at {by_size.index[end]:,.0f}" for end in (0, -1))
    return f"By the number of training examples read it is {' and '.join(ends)}."


def _benchmark() -> list[str]:
    """The stored benchmark, measured on a machine with no other work, at one model size and one length distribution."""
    stored = benchmarks.read("headline")
    if stored is None:
        return []
    measured = stored.query("size == 'MiniLM' and lengths == 'MNLI'").set_index("measure")["median"]
    ours, stock = ratio(measured["time d/c"]), ratio(measured["time d/a"])
    return [
        f"Measured alone (make bench), at the size of MiniLM and the lengths of MNLI, it takes {ours} times as long as "
        f"our own fine-tuning and {stock} times as long as fine-tuning by a stock Trainer."
    ]


def missing(runs: pd.DataFrame) -> list[str]:
    """What was not stored with the finished runs, a sentence each: what was not measured is never shown as zero."""
    done = numbers.complete(runs[runs["status"] == "done"])
    energy = done[numbers.ENERGY].notna().any()
    sentences = []
    if done["parameters"].isna().any():
        sentences.append("Number of parameters: not stored with some of these runs; a run made now stores it.")
    if not energy["host_energy_joules"]:
        sentences.append("Energy of the processor: not measured (these runs found no RAPL counter to read).")
    if not energy["device_energy_joules"]:
        on_gpu = done["device_peak_bytes"].notna().any()
        reason = "install masktune[gpu] to read its counter" if on_gpu else "no GPU was used"
        sentences.append(f"Energy of a GPU: not measured ({reason}).")
    return sentences or ["Nothing is missing: every run says its time, memory, energy and size."]


def grid_share(study: str) -> list[str]:
    """How much of the workers' time was training and evaluation, in the call that made most of the study's runs."""
    calls = [record for record in efficiency.read(study) if record["runs"]]
    record = efficiency.largest(calls)
    share = efficiency.share(record) if record else None
    if record is None or share is None:
        return ["No call that made these runs left a record of its wall time, so the share of training is not known."]
    which = f" in the largest of {len(calls)} calls" if len(calls) > 1 else ""
    return [
        f"Training and evaluation, also of the models that runs start from, were {share:.0%} of the time of "
        f"{record['workers']} workers, where at least {ASKED_SHARE:.0%} was asked: {record['runs']:,} runs in "
        f"{duration(record['wall_seconds'])} of wall time{which}."
    ]
