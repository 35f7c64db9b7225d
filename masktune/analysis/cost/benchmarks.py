"""The stored benchmarks (results/bench, made by `make bench`) as tables."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from masktune.analysis.cost.formatting import digits
from masktune.analysis.table import Table
from masktune.study.paths import results_root

if TYPE_CHECKING:
    from IPython.display import Markdown

# Name -> title and caption.
_CAPTIONS = {
    "headline": (
        "The training step: asked and reached",
        "Ratios of two arms within one repetition: median [lowest, highest]. (a) stock fine-tuning by "
        "transformers.Trainer, (b) naive Mask-tuning in it, (c) our fine-tuning, (d) our Mask-tuning. On a CPU (a) "
        "and (b) compute in fp32, a stock Trainer's default, and ours in bf16 where that is faster. There (d) "
        "has both accelerators on, dropout masks that are drawn faster and a gradient of tied word embeddings that is "
        "summed once a step; (c) has the first, and tiny, too small for it, the second alone. (e) is (d) without the "
        "first, (f) without the second, (g) without both: what a ratio to (d) has above 1, the accelerator gains. "
        "Memory: the most that torch holds at once; resident: that of the process, with what it cannot use again. "
        "Asked: for MiniLM on two cores of a CPU.",
    ),
    "step_cost": (
        "The training step: every arm",
        "Median [lowest, highest] over the repetitions. The bound: the operations that the method cannot do without, "
        "at the speed of one large matrix product in the same precision.",
    ),
    "grid": ("The grid itself", "Planning, gathering and tables of large made-up studies."),
}


def read(name: str) -> pd.DataFrame | None:
    """A benchmark as it was stored: "headline", "step_cost" or "grid"; None where it never was."""
    path = _folder() / f"{name}.csv"
    return pd.read_csv(path, keep_default_na=False) if path.is_file() else None


def benchmark(name: str) -> "Table | Markdown":
    """The table of a stored benchmark, see `read`; a sentence where there is none."""
    from IPython.display import Markdown

    frame = read(name)
    if frame is None:
        return Markdown(f"No benchmark is stored in results/bench ({name}.csv): `make bench` measures and stores it.")
    title, caption = _CAPTIONS[name]
    return Table(f"bench_{name}", title, f"{caption} {_machine()}", frame, _with_spread(frame))


def _folder() -> Path:
    return results_root() / "bench"


def _machine() -> str:
    """A sentence on the machine that ran the benchmarks."""
    path = _folder() / "machine.json"
    if not path.is_file():
        return ""
    machine = json.loads(path.read_text(encoding="utf-8"))
    device = f", {machine['gpu']}" if machine["gpu"] else ""
    memory = machine["memory_bytes"] / 2**30
    return f"Measured on {machine['processor']}, {machine['cores']} cores, {memory:.0f} GiB{device}, {machine['date']}."


def _with_spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers with three digits; a median with its minimum and maximum in one column."""
    shown = {}
    for name in frame:
        ends = ("min", "max") if name == "median" else (f"{name}_min", f"{name}_max")
        if ends[0] in frame:
            numbers = zip(frame[name], frame[ends[0]], frame[ends[1]], strict=True)
            shown[name] = [f"{digits(middle)} [{digits(low)}, {digits(high)}]" for middle, low, high in numbers]
        elif name not in ("min", "max") and not name.endswith(("_min", "_max")):
            shown[name] = [digits(value) if isinstance(value, float) else value for value in frame[name]]
    return pd.DataFrame(shown).rename(columns=lambda name: name.replace("_", " ").capitalize())
