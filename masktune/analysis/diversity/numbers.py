"""The diversity notebook: figures, tables and sentences made from the numbers of `masktune.study.run.diversity`."""

import numpy as np
import pandas as pd

from masktune.analysis.ablations import figures as curves
from masktune.analysis.claims.paper import CLAIMS
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.table import Table, count, interval, titled
from masktune.errors import MaskTuneError
from masktune.statistics.tests import Estimate, mean_over_seeds
from masktune.study.spec.arms import FROZEN, MASK_TUNING, MLM_ONLY, RANDOM, gathered

PUBLISHED = 3.0  # "three times more diversified examples than MLM"
MEASURES = {
    "changed": "Share of texts changed",
    "distinct": "Distinct texts of a source",
    "distinct_so_far": "Distinct texts of a source, whole training",
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "distance": "Semantic distance (1 \N{MINUS SIGN} pairwise cosine)",
    "vendi_source": "Vendi score of a source's texts",
    "vendi": "Vendi score of all texts",
    "coverage": "Coverage of other examples",
}
AVERAGED = (
    "The mean over the epochs, the start left out; the whole training counts the texts of all, the start included."
)
# Each second arm of a ratio, and the first.
RATIOS = ((MASK_TUNING, MLM_ONLY), (MASK_TUNING, FROZEN), (RANDOM, MLM_ONLY))
COLUMNS = ["measure", "first", "second", "ratio", "low", "high", "seeds"]


# ---- numbers


def read(study_name: str) -> pd.DataFrame:
    """The numbers of the experiment as they were gathered. Raises MaskTuneError where there are none."""
    path = gathered(study_name)
    if not path.is_file():
        raise MaskTuneError(f"{path} does not exist; run: python -m masktune run {study_name}, then gather")
    return pd.read_csv(path)


def by_run(frame: pd.DataFrame) -> pd.DataFrame:
    """Each measure of each run: the mean over the epochs, the start left out; `distinct_so_far` as it is at the end.

    Rows (label, seed), columns MEASURES.
    """
    runs = frame[frame["epoch"] > 0].groupby(["label", "seed"], sort=False)
    return runs[list(MEASURES)].mean().assign(distinct_so_far=runs["distinct_so_far"].last())


def ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """How many times as diverse the second arm is as the first, under each measure and over paired seeds.

    A geometric mean with the 95 % t interval of its logarithm; NaN where a measure of one run is 0. Columns: COLUMNS.
    """
    runs = by_run(frame)
    rows = []
    for second, first in RATIOS:
        for measure in MEASURES:
            found = _ratio(runs.loc[second, measure], runs.loc[first, measure])
            rows.append((measure, first, second, found.mean, found.low, found.high, found.seeds))
    return pd.DataFrame(rows, columns=COLUMNS)


def _ratio(second: pd.Series, first: pd.Series) -> Estimate:
    quotients = (second / first).where((second > 0) & (first > 0))
    logarithm = mean_over_seeds(np.log(quotients))
    return Estimate(*np.exp([logarithm.mean, logarithm.low, logarithm.high]).tolist(), logarithm.seeds)


# ---- figures


def setting(frame: pd.DataFrame) -> str:
    """n, and what varies."""
    seeds = pd.Series([frame["seed"].nunique()])
    return (
        f"{count(frame['sources'], 'train example')}, each perturbed {frame['draws'].max()} times before training and "
        f"after each of {frame['epoch'].max()} epochs, {count(seeds, 'seed')}. Seeds vary the masking, the dropout, "
        "the head and the order of batches; in one seed the same tokens are masked in all arms. The examples are fixed."
    )


def of_tokens(frame: pd.DataFrame) -> Drawing:
    """What happens to the texts, epoch by epoch."""
    titles = {"restored": "masked tokens put back (share)", "changed": "texts changed (share)"}
    return _by_epoch(frame, {**titles, "distinct_so_far": "distinct texts of a source so far"})


def of_meanings(frame: pd.DataFrame) -> Drawing:
    """What happens in the space of the encoder, epoch by epoch."""
    titles = {"distance": "distance of a source's texts", "vendi_source": "Vendi score of a source's texts"}
    return _by_epoch(frame, {**titles, "coverage": "coverage of other examples (share)"})


def _by_epoch(frame: pd.DataFrame, titles: dict[str, str]) -> Drawing:
    return curves.along_training(frame[frame["label"] != RANDOM], list(titles), list(titles.values()), "epoch")


# ---- tables


def values_table(frame: pd.DataFrame) -> Table:
    """Every measure of every arm."""
    runs = by_run(frame)
    labels = list(dict.fromkeys(frame["label"]))
    rows = [
        (measure, label, found.mean, found.low, found.high, found.seeds)
        for measure in MEASURES
        for label in labels
        for found in [mean_over_seeds(runs.loc[label, measure])]
    ]
    values = pd.DataFrame(rows, columns=["measure", "label", "mean", "low", "high", "seeds"])
    text = values.assign(text=[_interval(*row) for row in values[["mean", "low", "high"]].itertuples(index=False)])
    shown = text.pivot(index="measure", columns="label", values="text").loc[list(MEASURES), labels]
    caption = f"Mean over {count(values['seeds'], 'seed')} [95 % t interval over seeds]. {AVERAGED} {setting(frame)}"
    return Table("diversity", "Every measure", caption, values, _named(shown.reset_index()))


def ratios_table(frame: pd.DataFrame) -> Table:
    """The ratios beside the paper's."""
    found = ratios(frame)
    columns = found["second"] + " \N{DIVISION SIGN} " + found["first"]
    text = [_interval(*row, ".2f") for row in found[["ratio", "low", "high"]].itertuples(index=False)]
    wide = found.assign(column=columns, text=text).pivot(index="measure", columns="column", values="text")
    shown = wide.loc[list(MEASURES), list(dict.fromkeys(columns))].reset_index().assign(Paper=published())
    caption = (
        f"Ratios over {count(found['seeds'], 'paired seed')}: geometric mean [95 % t interval of the logarithm over "
        f"seeds]. Random tokens are a yardstick: no language model chose them. The paper does not say how it measured. "
        f"{AVERAGED} {setting(frame)}"
    )
    return Table("diversity_ratios", "Is it threefold?", caption, found, _named(shown))


def published() -> str:
    """The paper's ratio as the paper has it."""
    return next(claim.published for claim in CLAIMS if claim.name == "diversity")


def _named(shown: pd.DataFrame) -> pd.DataFrame:
    return titled(shown.rename_axis(columns=None).assign(measure=shown["measure"].map(MEASURES)))


def _interval(mean: float, low: float, high: float, digits: str = "#.3g") -> str:
    if np.isnan(mean):
        return "\N{EN DASH}"
    return f"{mean:{digits}}" if np.isnan(low) else f"{mean:{digits}} [{low:{digits}}, {high:{digits}}]"


# ---- sentences


def restoration(frame: pd.DataFrame) -> list[str]:
    """Does learning drive the fills back to the original? Each arm beside frozen fills in the same gaps, at the end."""
    last = frame[frame["epoch"] == frame["epoch"].max()].set_index(["label", "seed"])["restored"]
    start = frame[(frame["epoch"] == 0) & (frame["label"] == FROZEN)]["restored"].mean()
    said = [f"Before training the language model puts back {start:.1%} of the masked tokens."]
    for label in (MASK_TUNING, MLM_ONLY):
        gap = mean_over_seeds(100 * (last.loc[label] - last.loc[FROZEN]))
        said.append(
            f"After the last epoch {label} puts back {last.loc[label].mean():.1%}, and frozen fills put back "
            f"{last.loc[FROZEN].mean():.1%} of the same tokens: a difference of "
            f"{interval(gap.mean, gap.low, gap.high, sign=True)} points (95 % t interval over paired seeds, "
            f"n = {gap.seeds}). {_direction(gap)}"
        )
    return said


def _direction(gap: Estimate) -> str:
    if gap.low > 0:
        return "Its learning drives the fills back to the original."
    if gap.high < 0:
        return "Its learning drives the fills away from the original."
    return "Whether its learning drives the fills back to the original, these seeds do not tell."


def verdicts(frame: pd.DataFrame) -> list[str]:
    """What the ratios say of "three times", and what no ratio at this masking rate could say."""
    found = ratios(frame)
    said = [_verdict(found, MASK_TUNING, first) for first in (MLM_ONLY, FROZEN)]
    random = _of(found, RANDOM, MLM_ONLY)
    short = [MEASURES[measure] for measure in random.index[random["ratio"] < PUBLISHED]]
    said.append(
        f"Even random tokens in the same gaps are less than {PUBLISHED:g} times as diverse as the fills of {MLM_ONLY} "
        f"under {len(short)} of {len(random)} measures ({_listed(short)}): under these, three times can hardly be "
        "reached at this masking rate, whatever the language model learns."
    )
    masked = frame["masked"].mean()
    said.append(
        f"A token is masked in {masked:.1%} of the texts, and no more can change: the share of texts changed could be "
        f"at most {masked / by_run(frame).loc[MLM_ONLY, 'changed'].mean():.2f} times that of {MLM_ONLY}."
    )
    return said


def _verdict(found: pd.DataFrame, second: str, first: str) -> str:
    part = _of(found, second, first).dropna(subset=["ratio"])
    least, most = part["ratio"].idxmin(), part["ratio"].idxmax()
    span = (
        f"{second} over {first}: from {part.loc[least, 'ratio']:.2f} times ({MEASURES[least]}) to "
        f"{part.loc[most, 'ratio']:.2f} times ({MEASURES[most]})."
    )
    if part["low"].isna().all():
        return f"{span} One seed gives no intervals."
    above, below = int((part["low"] > 1).sum()), int((part["high"] < 1).sum())
    threefold = int(((part["low"] <= PUBLISHED) & (part["high"] >= PUBLISHED)).sum())
    return (
        f"{span} Of {len(part)} measures, the interval lies above 1 under {above} and below 1 under {below}; it holds "
        f"{PUBLISHED:g} under {threefold}."
    )


def _of(found: pd.DataFrame, second: str, first: str) -> pd.DataFrame:
    """The ratios of one pair of arms by measure."""
    return found[(found["second"] == second) & (found["first"] == first)].set_index("measure")


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "none"
