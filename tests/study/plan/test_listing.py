"""A study in plain text."""

import numpy as np
from study.conftest import claimed, stored_pairs

from masktune.study.design.load import parse_study
from masktune.study.plan import listing, power


def plan(study):
    return listing.plan(study, lambda cell: True)


def test_the_plan_says_what_its_seeds_can_show(table):
    text = plan(claimed(table))
    assert "1 comparison (model x set), 6 paired seeds, two-sided sign-flip test: p can reach 0.031" in text
    size = power.detectable(6, 0.05, 2) * 0.5
    assert (
        f"found with 80 % power at 0.05: differences from {size:.2g} points (assumed: differences vary by 0.5" in text
    )
    assert "warning" not in text


def test_the_plan_warns_where_the_correction_is_out_of_reach(table):
    study = parse_study(
        {**table, "seeds": 6, "claims": [{**table["claims"][0], "test": "superiority"}, table["claims"][0]]}
    )
    text = plan(study)
    assert text.count("warning: corrected for the 4 headline comparisons, one alone needs p below 0.013") == 1
    assert "out of reach of these seeds; 8 seeds reach it" in text
    assert "4 comparisons (model x set), 6 paired seeds: estimated with an interval, not tested" in text


def test_the_plan_uses_what_has_finished(table):
    study = claimed(table, test="non_inferiority", margin=2.0)
    stored_pairs(study, [(1, 2), (2, 2), (1, 4)])
    least = power.detectable(6, 0.05, 1) * np.std([25, 0, 75], ddof=1) - 2
    assert (
        f"where the true difference is at least {least:.2g} in sentiment, in points (by the spread of 3 finished pairs)"
        in plan(study)
    )
