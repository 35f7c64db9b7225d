"""What the experiment on diversity says, in sentences."""

import pandas as pd

from masktune.analysis.diversity import numbers
from masktune.analysis.diversity.numbers import PUBLISHED
from masktune.analysis.formatting import count, interval
from masktune.statistics.intervals import Estimate, mean_over_seeds
from masktune.study.design.arms import FROZEN, MASK_TUNING, MLM_ONLY, RANDOM

# What a reader calls each of numbers.MEASURES.
TITLES = {
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


def setting(frame: pd.DataFrame) -> str:
    """How many examples, draws, epochs and seeds, and what the seeds vary. `frame`: `numbers.read`."""
    seeds = pd.Series([frame["seed"].nunique()])
    return (
        f"{count(frame['sources'], 'train example')}, each perturbed {frame['draws'].max()} times before training and "
        f"after each of {frame['epoch'].max()} epochs, {count(seeds, 'seed')}. Seeds vary the masking, the dropout, "
        "the head and the order of batches; in one seed the same tokens are masked in all arms. The examples are fixed."
    )


def restoration(frame: pd.DataFrame) -> list[str]:
    """Does learning drive the fills back to the original tokens? Each arm compared with frozen fills, at the end."""
    last = frame[frame["epoch"] == frame["epoch"].max()].set_index(["label", "seed"])["restored"]
    start = frame[(frame["epoch"] == 0) & (frame["label"] == FROZEN)]["restored"].mean()
    sentences = [f"Before training the language model puts back {start:.1%} of the masked tokens."]
    for label in (MASK_TUNING, MLM_ONLY):
        gap = mean_over_seeds(100 * (last.loc[label] - last.loc[FROZEN]))
        sentences.append(
            f"After the last epoch {label} puts back {last.loc[label].mean():.1%}, and frozen fills put back "
            f"{last.loc[FROZEN].mean():.1%} of the same tokens: a difference of "
            f"{interval(gap.mean, gap.low, gap.high, sign=True)} points (95 % t interval over paired seeds, "
            f"n = {gap.seeds}). {_direction(gap)}"
        )
    return sentences


def _direction(gap: Estimate) -> str:
    if gap.low > 0:
        return "Its learning drives the fills back to the original."
    if gap.high < 0:
        return "Its learning drives the fills away from the original."
    return "Whether its learning drives the fills back to the original, these seeds do not tell."


def ratios(frame: pd.DataFrame) -> list[str]:
    """What the ratios say of "three times", and what no ratio at this masking rate could say."""
    values = numbers.ratios(frame)
    sentences = [_ratio(values, MASK_TUNING, first) for first in (MLM_ONLY, FROZEN)]
    random = _of_arms(values, RANDOM, MLM_ONLY)
    short = [TITLES[measure] for measure in random.index[random["ratio"] < PUBLISHED]]
    sentences.append(
        f"Even random tokens in the same gaps are less than {PUBLISHED:g} times as diverse as the fills of {MLM_ONLY} "
        f"under {len(short)} of {len(random)} measures ({', '.join(short) or 'none'}): under these, three times can "
        "hardly be reached at this masking rate, whatever the language model learns."
    )
    masked, changed = frame["masked"].mean(), numbers.by_run(frame).loc[MLM_ONLY, "changed"].mean()
    sentences.append(
        f"A token is masked in {masked:.1%} of the texts, and no more can change: the share of texts changed could be "
        f"at most {masked / changed:.2f} times that of {MLM_ONLY}."
    )
    return sentences


def _ratio(values: pd.DataFrame, second: str, first: str) -> str:
    """The range of the ratios of two arms over the measures, and where their intervals lie."""
    rows = _of_arms(values, second, first).dropna(subset=["ratio"])
    least, most = rows["ratio"].idxmin(), rows["ratio"].idxmax()
    span = (
        f"{second} over {first}: from {rows.loc[least, 'ratio']:.2f} times ({TITLES[least]}) to "
        f"{rows.loc[most, 'ratio']:.2f} times ({TITLES[most]})."
    )
    if rows["low"].isna().all():
        return f"{span} One seed gives no intervals."
    above, below = int((rows["low"] > 1).sum()), int((rows["high"] < 1).sum())
    threefold = int(((rows["low"] <= PUBLISHED) & (rows["high"] >= PUBLISHED)).sum())
    return (
        f"{span} Of {len(rows)} measures, the interval lies above 1 under {above} and below 1 under {below}; it holds "
        f"{PUBLISHED:g} under {threefold}."
    )


def _of_arms(values: pd.DataFrame, second: str, first: str) -> pd.DataFrame:
    """The ratios of one pair of arms by measure."""
    return values[(values["second"] == second) & (values["first"] == first)].set_index("measure")
