"""The cost notebook's tables, figures and sentences, made from the frames of `cost` and from stored benchmarks."""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from masktune.analysis import names
from masktune.analysis import provenance as origins
from masktune.analysis.cost import numbers as cost
from masktune.analysis.plotting import alt_text as findings
from masktune.analysis.plotting import panels, theme
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import MINUS, Table, count, interval
from masktune.study.execute import efficiency
from masktune.study.paths import results_root

if TYPE_CHECKING:
    from IPython.display import Markdown

NOT_MEASURED = "not measured"
MADE = "Made in"  # the column of `origins`
ASKED_SHARE = 0.75  # of the workers' time that should be training and evaluation


# ---- sentences


def answer(runs: pd.DataFrame) -> "Markdown":
    """One paragraph that answers Q3: what Mask-tuning costs beside the study's first method."""
    from IPython.display import Markdown

    frame = cost.overhead(runs)
    labels = runs.loc[runs["method"] == "mask_tuning", "label"]
    frame = frame[frame["second"] == (labels.iloc[0] if len(labels) else None)]
    if frame.empty:
        return Markdown("No finished run of Mask-tuning shares its seed with one of fine-tuning yet.")
    made = frame.groupby(origins.labels(frame), sort=False)
    parts = [line for name, part in made for line in (*[f"Runs in {name}:"] * (len(made) > 1), *_of_a_kind(part))]
    return Markdown(" ".join([*parts, *_alone()]))


def _of_a_kind(frame: pd.DataFrame) -> list[str]:
    """What is said of runs that were made alike."""
    return [*_price(frame), _energy(frame), _by_size(frame), _by_data(frame)]


def _price(frame: pd.DataFrame) -> list[str]:
    first, second = frame[["first", "second"]].iloc[0]
    least, most = frame.loc[frame["time"].idxmin()], frame.loc[frame["time"].idxmax()]
    span = f", from {_at(least)} to {_at(most)}" if len(frame) > 1 else ""
    said = [
        f"**{second} takes {times(cost.geometric_mean(frame['time']))} times the training time of {first}**{span}; the "
        f"interval of {int((frame['low'] > 1).sum())} of {count(pd.Series([len(frame)]), 'comparison')} (model x task, "
        f"{count(frame['seeds'], 'paired seed')}) lies above 1."
    ]
    memory = frame["memory"].dropna()
    return [*said, f"Its peak memory is {times(cost.geometric_mean(memory))} times as high."] if len(memory) else said


def _at(row: pd.Series) -> str:
    return f"{times(row['time'])} ({names.model(row['model'])}, {names.task(row['task']).lower()})"


def _energy(frame: pd.DataFrame) -> str:
    measured = frame["energy"].dropna()
    if measured.empty:
        return "Its energy was not measured: no counter of it could be read where these runs were made."
    return f"It takes {times(cost.geometric_mean(measured))} times the energy."


def _by_size(frame: pd.DataFrame) -> str:
    """The factor at the smallest and the largest model."""
    sizes = frame.dropna(subset="parameters").groupby("model", sort=False, observed=True)
    if not len(sizes):
        return "These runs do not say how many parameters their models have, so nothing is said about model size."
    by_model = sizes.agg(parameters=("parameters", "mean"), time=("time", cost.geometric_mean))
    least, most = (by_model.loc[by_model["parameters"].agg(end)] for end in ("idxmin", "idxmax"))
    if most["parameters"] < 2 * least["parameters"]:
        return f"All models are of about one size ({_millions(least)} to {_millions(most)} million parameters)."
    ends = (f"{times(row['time'])} at {_millions(row)} million parameters" for row in (least, most))
    return f"By model size the factor is {' and '.join(ends)}."


def _millions(row: pd.Series) -> str:
    return f"{row['parameters'] / 1e6:.3g}"


def _by_data(frame: pd.DataFrame) -> str:
    """The factor at the smallest and the largest number of training examples."""
    by_size = frame.groupby("examples")["time"].agg(cost.geometric_mean)
    if len(by_size) < 2:
        return f"Every run reads {by_size.index[0]:,.0f} training examples."
    ends = (f"{times(by_size.iloc[end])} at {by_size.index[end]:,.0f}" for end in (0, -1))
    return f"By the number of training examples read it is {' and '.join(ends)}."


def _alone() -> list[str]:
    """What the stored benchmark says, where nothing else ran: one real size, one real distribution of lengths."""
    path = results_root() / "bench" / "headline.csv"
    if not path.is_file():
        return []
    found = pd.read_csv(path).query("size == 'MiniLM' and lengths == 'MNLI'").set_index("measure")["median"]
    ours, stock = times(found["time d/c"]), times(found["time d/a"])
    return [
        f"Measured alone (make bench), at the size of MiniLM and the lengths of MNLI, it takes {ours} times as long as "
        f"our own fine-tuning and {stock} times as long as fine-tuning by a stock Trainer."
    ]


def not_said(runs: pd.DataFrame) -> list[str]:
    """What the stored runs do not say, a sentence for each thing; what is not measured is never shown as zero."""
    found = cost.complete(runs[runs["status"] == "done"])
    energy = found[cost.ENERGY].notna().any()
    sentences = []
    if found["parameters"].isna().any():
        sentences.append("Number of parameters: not stored with some of these runs; a run made now stores it.")
    if not energy["host_energy_joules"]:
        sentences.append("Energy of the processor: not measured (these runs found no RAPL counter to read).")
    if not energy["device_energy_joules"]:
        on_gpu = found["device_peak_bytes"].notna().any()
        reason = "install masktune[gpu] to read its counter" if on_gpu else "no GPU was used"
        sentences.append(f"Energy of a GPU: not measured ({reason}).")
    return sentences or ["Nothing is missing: every run says its time, memory, energy and size."]


def grid_share(study: str) -> list[str]:
    """How much of the workers' time was training and evaluation, in the call that made most runs of the study."""
    calls = [record for record in efficiency.read(study) if record["runs"]]
    record = efficiency.largest(calls)
    share = record and efficiency.share(record)
    if share is None:
        return ["No call that made these runs left a record of its wall time, so the share of training is not known."]
    which = f" in the largest of {len(calls)} calls" if len(calls) > 1 else ""
    return [
        f"Training and evaluation, also of the models that runs start from, were {share:.0%} of the time of "
        f"{record['workers']} workers, where at least {ASKED_SHARE:.0%} was asked: {record['runs']:,} runs in "
        f"{duration(record['wall_seconds'])} of wall time{which}."
    ]


# ---- tables


def overhead(runs: pd.DataFrame) -> Table:
    """Time of each method beside the first, a column a task; memory and energy over the tasks."""
    frame = cost.overhead(runs)
    ends = zip(frame["time"], frame["low"], frame["high"], strict=True)
    texts = frame.assign(
        text=[times(*row) for row in ends], task=frame["task"].map(names.task), made=origins.labels(frame)
    )
    place = ["model", "second", "made"]
    rows = texts.groupby(place, sort=False)
    shown = texts.pivot_table(index=place, columns="task", values="text", aggfunc="first", sort=False)
    shown = shown.reindex(index=rows.size().index, columns=list(dict.fromkeys(texts["task"]))).fillna("\N{EN DASH}")
    for title, column in (("Peak memory", "memory"), ("Energy", "energy")):
        shown[title] = [times(cost.geometric_mean(values)) for _, values in rows[column]]
    shown = shown.reset_index().rename(columns={"model": "Model", "second": "Method", "made": MADE})
    shown = _told_apart(shown.rename_axis(columns=None))
    shown["Model"] = shown["Model"].map(names.model)
    first = frame["first"].iloc[0] if len(frame) else "the first method"
    caption = (
        f"How many times what {first} takes at the same training (learning rates aside): training time of a run on "
        f"each task, geometric mean over {count(frame['seeds'], 'paired seed')} [95 % t interval over seeds]; peak "
        "memory and energy, geometric means over the tasks as well. Wall times of cells that may have run side by "
        "side; what a method prepares once for all seeds is not in them. Peak memory is that of "
        "the GPU where there is one, else of the whole process with all it has loaded. Only runs in the same "
        f"precision and by the same code are compared{origins.common(frame)}."
    )
    return Table("overhead", f"The price beside {first}", caption, frame, shown)


def _told_apart(shown: pd.DataFrame) -> pd.DataFrame:
    """Without the column that says how the runs were made, where all were made alike."""
    return shown if shown[MADE].nunique() > 1 else shown.drop(columns=MADE)


def accuracy_for_cost(runs: pd.DataFrame, main: pd.DataFrame) -> Table:
    """Accuracy an hour and a watt-hour."""
    frame = cost.efficiency(runs, main)
    columns = {MADE: origins.labels(frame), "Hours a run": [f"{value:.3g}" for value in frame["hours"]]}
    for unit, divisor in (("hour", frame["hours"]), ("watt-hour", frame["watt_hours"])):
        for name, accuracy in (("in", frame["inside"]), ("out", frame["outside"])):
            columns[f"An {unit}, {name}" if unit == "hour" else f"A {unit}, {name}"] = _quotients(accuracy / divisor)
    shown = _told_apart(_placed(frame, Method=frame["method"]).assign(**columns))
    caption = (
        "Accuracy in per cent, in and out of distribution (means over sets and seeds), divided by the hours of "
        "training and evaluation and by the energy of one run. Such a quotient rewards whatever is small and quick: it "
        "compares methods on one model and one task, and nothing else."
    )
    return Table("efficiency", "Accuracy for time and energy", caption, frame, shown)


def _quotients(values: pd.Series) -> list[str]:
    return [NOT_MEASURED if pd.isna(value) else f"{value:,.0f}" for value in values]


def total(runs: pd.DataFrame) -> Table:
    """The time of the whole study by phase."""
    frame = cost.total(runs)
    known = "" if not frame["unknown"].any() else "at least "
    sums = {"Phase": "all together", "Time": known + duration(frame["seconds"].sum()), "Runs": "", "Not known of": ""}
    shown = pd.DataFrame(
        {
            "Phase": frame["phase"],
            "Time": [
                NOT_MEASURED if row.runs and row.unknown == row.runs else duration(row.seconds)
                for row in frame.itertuples()
            ],
            "Runs": frame["runs"].astype(str),
            "Not known of": frame["unknown"].astype(str),
        }
    )
    joules = cost.complete(runs)[cost.ENERGY].sum(axis=1, min_count=1).sum(min_count=1)
    energy = f"was {NOT_MEASURED}" if pd.isna(joules) else f"where it was measured: {joules / 3600:,.1f} watt-hours"
    caption = (
        "The whole study, added up over its runs; a failed run counts as far as it left its time. Making and adapting "
        f"the pre-trained models is not in it: it is done once and kept. What methods prepare of the examples is "
        "kept too, but stored as if nothing had been: what several cells share counts in each of them. "
        f"Energy {energy}.{origins.mixed(runs)}"
    )
    return Table("total", "The whole study", caption, frame, pd.concat([shown, pd.DataFrame([sums])]))


def grouping(runs: pd.DataFrame) -> "Table | Markdown":
    """Whether grouping by length costs accuracy; a sentence where no row of the study can show it."""
    from IPython.display import Markdown

    frame = cost.grouping(runs)
    if frame.empty:
        return Markdown(
            "This study has no finished row with random batches beside the same row with grouped ones. Such a row says "
            "`training = { sampling = ... }`."
        )
    ends = zip(frame["difference"], frame["low"], frame["high"], strict=True)
    shown = _placed(frame, Set=frame["set"].map(names.evaluation_set)).assign(
        **{
            f"Grouped {MINUS} random [95 %]": [interval(*row, sign=True) for row in ends],
            "Speed-up": [times(value) for value in frame["speedup"]],
            "Seeds": frame["seeds"],
        }
    )
    caption = (
        "Accuracy with batches grouped by length minus accuracy with random ones, in points, mean over "
        f"{count(frame['seeds'], 'paired seed')} [95 % t interval over seeds]; the method and all else are the same. "
        "Speed-up: the training time of an example in random batches over that in grouped ones."
    )
    return Table("grouping", "Grouping by length and accuracy", caption, frame, shown)


def _placed(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Task and model with their titles, then these columns."""
    place = {"Task": frame["task"].map(names.task), "Model": frame["model"].map(names.model)}
    return pd.DataFrame({**place, **columns})


# ---- benchmarks


def bench(name: str) -> "Table | Markdown":
    """A stored table of the benchmarks: "headline", "step_cost" or "grid"; a sentence where it was never stored."""
    from IPython.display import Markdown

    path = results_root() / "bench" / f"{name}.csv"
    if not path.is_file():
        return Markdown(f"No benchmark is stored in results/bench ({name}.csv): `make bench` measures and stores it.")
    frame = pd.read_csv(path, keep_default_na=False)
    title, caption = _BENCH[name]
    return Table(f"bench_{name}", title, f"{caption} {_machine()}", frame, _with_spread(frame))


_BENCH = {
    "headline": (
        "The training step: asked and reached",
        "Ratios of two arms within one repetition: median [lowest, highest]. (a) stock fine-tuning by "
        "transformers.Trainer, (b) naive Mask-tuning in it, (c) our fine-tuning, (d) our Mask-tuning. On a CPU (a) "
        "and (b) compute in fp32, a stock Trainer's default, and ours in bf16 where that is faster. Memory: the most "
        "that torch holds at once; resident: that of the process, with what it cannot use again. Asked: for MiniLM on "
        "two cores of a CPU.",
    ),
    "step_cost": (
        "The training step: every arm",
        "Median [lowest, highest] over the repetitions. The bound: the operations that the method cannot do without, "
        "at the speed of one large matrix product in the same precision.",
    ),
    "grid": ("The grid itself", "Planning, gathering and tables of large made-up studies."),
}


def _machine() -> str:
    """On what the benchmarks ran, in a sentence."""
    path = results_root() / "bench" / "machine.json"
    if not path.is_file():
        return ""
    found = json.loads(path.read_text(encoding="utf-8"))
    device = f", {found['gpu']}" if found["gpu"] else ""
    memory = found["memory_bytes"] / 2**30
    return f"Measured on {found['processor']}, {found['cores']} cores, {memory:.0f} GiB{device}, {found['date']}."


def _with_spread(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers with three digits; a median and its two ends in one column."""
    shown = {}
    for name in frame:
        ends = ("min", "max") if name == "median" else (f"{name}_min", f"{name}_max")
        if ends[0] in frame:
            numbers = zip(frame[name], frame[ends[0]], frame[ends[1]], strict=True)
            shown[name] = [f"{_digits(middle)} [{_digits(low)}, {_digits(high)}]" for middle, low, high in numbers]
        elif name not in ("min", "max") and not name.endswith(("_min", "_max")):
            shown[name] = [_digits(value) if isinstance(value, float) else value for value in frame[name]]
    return pd.DataFrame(shown).rename(columns=lambda name: name.replace("_", " ").capitalize())


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


# ---- figures


def by_size(runs: pd.DataFrame) -> Drawing:
    """Training time an example against the parameters of the model, a panel a task, a line a method."""
    each = cost.per_run(_main(runs)).dropna(subset=["parameters", "seconds_per_example"])
    if each.empty:
        return panels.alone("No finished run says how many parameters its model has; runs made from now on do.")
    each = each.assign(x=each["parameters"] / 1e6, y=1000 * each["seconds_per_example"])
    each = each.assign(panel=origins.apart(each["task"].map(names.task), each))
    return _lines(each, "parameters (millions)", "training time an example (ms)")


def by_data(runs: pd.DataFrame) -> Drawing:
    """Training time of a run against the examples it reads, a panel a model, a line a method."""
    each = cost.per_run(_main(runs)).dropna(subset=["train_examples", "train_seconds"])
    if each.empty:
        return panels.alone("No finished run says how long it trained.")
    each = each.assign(x=each["train_examples"], y=each["train_seconds"])
    each = each.assign(panel=origins.apart(each["model"].map(names.model), each))
    return _lines(each, "examples read in training", "training time of a run (s)")


def _main(runs: pd.DataFrame) -> pd.DataFrame:
    """The main rows of the study, where its rows are told apart: a figure holds a handful of methods."""
    return runs[runs["part"] == "main"] if "part" in runs else runs


def _lines(each: pd.DataFrame, across: str, upwards: str) -> Drawing:
    """Every run as a pale point, the geometric mean at each x as a mark on a line; both axes logarithmic."""
    titles, methods = list(dict.fromkeys(each["panel"])), names.methods_in_order(each)
    marks = each.groupby(["panel", "label", "x"], sort=False)
    means = marks.agg(level=("y", cost.geometric_mean), seeds=("seed", "nunique")).reset_index()
    with theme.applied():
        figure, axes = panels.side_by_side(len(titles), 3.1, 3.0, sharey=True)
        for axis, title in zip(axes, titles, strict=True):
            for method in methods:
                here = (frame[(frame["panel"] == title) & (frame["label"] == method)] for frame in (each, means))
                _method(axis, *here, theme.mark(method, methods))
            _logarithmic(axis, each)
            axis.set(title=title, xlabel=across)
        for axis in axes[:: panels.A_LINE]:
            axis.set_ylabel(upwards)
        handles = [panels.handle(theme.mark(method, methods), method) for method in methods]
        panels.legend(figure, [*handles, panels.dot("one run"), *panels.of_seeds(means["seeds"])])
    where = lambda row: f"{row['label']}, {row['panel']}, at {_digits(row['x'])}"  # noqa: E731
    figure.alt = findings.alt(f"Mean {upwards} by {across}: {findings.span(means, 'level', where)}.")
    return figure


def _method(axis: Axes, points: pd.DataFrame, means: pd.DataFrame, style: theme.Mark) -> None:
    """The runs of one method in one panel, and their means."""
    means = means.sort_values("x")
    axis.scatter(points["x"], points["y"], s=11, color=style.colour, alpha=0.35, linewidths=0)
    axis.plot(means["x"], means["level"], color=style.colour, linewidth=1.4)
    for row in means.itertuples():
        axis.plot([row.x], [row.level], linestyle="", **panels.look(style, row.seeds))


def _logarithmic(axis: Axes, each: pd.DataFrame) -> None:
    panels.Places(each["x"], _digits, log=True).draw(axis)
    axis.set(ylim=(each["y"].min() / 1.15, each["y"].max() * 1.15), yscale="log")
    axis.yaxis.set(major_locator=LogLocator(subs=(1, 2, 3, 5, 7)), minor_locator=NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: _digits(value))


# ---- words


def times(ratio: float, low: float = float("nan"), high: float = float("nan")) -> str:
    """`1.53 [1.44, 1.62]`, a ratio with its interval where there is one; in words where it was not measured."""
    if pd.isna(ratio):
        return NOT_MEASURED
    return f"{ratio:.2f}" if pd.isna(low) else f"{ratio:.2f} [{low:.2f}, {high:.2f}]"


def duration(seconds: float) -> str:
    """`12.3 s`, `4.5 min`, `3.2 h`."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
