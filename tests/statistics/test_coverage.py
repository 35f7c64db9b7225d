"""How often the intervals hold the truth, in worlds where the truth is known.

`python tests/statistics/test_coverage.py` prints the figures that `masktune.statistics.crossed` quotes.
"""

import numpy as np
import pytest
from scipy import stats

from masktune.statistics import crossed

EXAMPLES = 400
GAP = 0.3
SEEDS_VARY = 0.6  # of the gap, from seed to seed
ANSWERS_VARY = 0.02


PRETRAININGS = 3


def world(generator, seeds, spread, spread_of_pretrainings=0.0):
    """Right or wrong of two methods [S, n] each, and the true difference of their accuracies.

    An example has a difficulty, a pair of runs a noise on it that they share in part; the second method's gap differs
    from seed to seed with a standard deviation of `spread`, and between the pre-trainings that they start from.
    """
    difficulty = generator.normal(size=EXAMPLES)
    shared, own, other = generator.normal(0, 0.6, (3, seeds, EXAMPLES))
    gap = generator.normal(GAP, spread, (seeds, 1))
    if spread_of_pretrainings:
        gap += generator.normal(0, spread_of_pretrainings, (PRETRAININGS, 1))[np.arange(seeds) % PRETRAININGS]
    noise = np.sqrt(0.8) * shared
    first = difficulty + noise + np.sqrt(0.2) * own < 0.5
    second = difficulty + noise + np.sqrt(0.2) * other < 0.5 + gap
    width = np.sqrt(1 + 0.6**2)
    varied = np.sqrt(width**2 + spread**2 + spread_of_pretrainings**2)
    truth = stats.norm.cdf((0.5 + GAP) / varied) - stats.norm.cdf(0.5 / width)
    return first, second, truth


def t_interval(gap, clusters):
    found = crossed.crossed_mean(gap, clusters).estimate()
    return found.low, found.high


def bootstrap_interval(gap, clusters, draws):
    return crossed.bootstrap_interval(crossed.bootstrap_means([gap], clusters, draws)[0])


def nested_interval(gap, clusters):
    found = crossed.crossed_mean(gap, clusters, np.arange(len(gap)) % PRETRAININGS).estimate()
    return found.low, found.high


def nested_bootstrap_interval(gap, clusters, draws):
    started = [np.arange(len(gap)) % PRETRAININGS]
    return crossed.bootstrap_interval(crossed.bootstrap_means([gap], clusters, draws, pretrainings=started)[0])


def coverage(interval, seeds, spread, worlds, spread_of_pretrainings=0.0):
    """The share of worlds whose truth lies in `interval(differences, clusters)`."""
    generator, held = np.random.default_rng(seeds), 0
    for _ in range(worlds):
        first, second, truth = world(generator, seeds, spread, spread_of_pretrainings)
        low, high = interval(second.astype(float) - first, np.arange(EXAMPLES))
        held += low <= truth <= high
    return held / worlds


@pytest.mark.parametrize("spread", [ANSWERS_VARY, 0.2, SEEDS_VARY])
@pytest.mark.parametrize("seeds", [3, 6, 10])
def test_intervals_hold_the_truth_at_95_per_cent(seeds, spread):
    assert 0.91 <= coverage(t_interval, seeds, spread, 300) <= 0.985


@pytest.mark.parametrize("of_pretrainings", [0, 0.15, 0.3])
@pytest.mark.parametrize("seeds", [6, 10])
def test_intervals_over_three_pretrainings_hold_it_too(seeds, of_pretrainings):
    assert 0.90 <= coverage(nested_interval, seeds, 0.15, 300, of_pretrainings) <= 0.995


def test_seeds_that_share_pretrainings_are_no_independent_ones():
    assert coverage(t_interval, 10, 0.15, 150, 0.3) < 0.85


def test_few_large_clusters_hold_it_too():
    """30 clusters that differ, as the sub-cases of HANS: their own number is what counts, not that of examples."""
    generator, held = np.random.default_rng(0), 0
    clusters = np.repeat(np.arange(30), 10)
    for _ in range(300):
        values = 0.1 + generator.normal(0, 0.2, 30)[clusters] + generator.normal(0, 0.5, (6, 300))
        low, high = t_interval(values, clusters)
        held += low <= 0.1 <= high
    assert 0.91 <= held / 300 <= 0.985


def test_bootstrap_percentiles_do_not():
    """Too narrow where few seeds vary most, too wide where single answers do."""
    short = lambda gap, clusters: bootstrap_interval(gap, clusters, 200)  # noqa: E731
    assert coverage(short, 6, SEEDS_VARY, 150) < 0.92
    assert coverage(short, 6, ANSWERS_VARY, 150) > 0.97


if __name__ == "__main__":
    print("share of 1,000 worlds whose truth lies in the 95 % interval")
    for seeds in (3, 6, 10):
        for name, spread in (("answers vary most", ANSWERS_VARY), ("seeds vary most", SEEDS_VARY)):
            t = coverage(t_interval, seeds, spread, 1000)
            bootstrap = coverage(lambda gap, clusters: bootstrap_interval(gap, clusters, 500), seeds, spread, 1000)
            print(f"{seeds:2} seeds, {name:18}  crossed_mean {t:.3f}  bootstrap {bootstrap:.3f}")
    print("with 3 pre-trainings, the standard deviation between seeds 0.15 of a gap of 0.3")
    for seeds in (6, 10, 20):
        for spread in (0, 0.05, 0.15, 0.3):
            known = coverage(nested_interval, seeds, 0.15, 1000, spread)
            unknown = coverage(t_interval, seeds, 0.15, 1000, spread)
            bootstrap = coverage(lambda *given: nested_bootstrap_interval(*given, 500), seeds, 0.15, 1000, spread)
            print(
                f"{seeds:2} seeds, {spread:4} between pre-trainings  crossed_mean {known:.3f}  "
                f"pre-trainings unknown {unknown:.3f}  bootstrap {bootstrap:.3f}"
            )
