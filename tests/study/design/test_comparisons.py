"""The comparisons that a claim makes in a study."""

import re

import pytest

from masktune.errors import MaskTuneError
from masktune.study.design.comparisons import comparisons
from masktune.study.design.load import parse_study

SUPERIORITY = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution", "test": "superiority"}


def declared(table, seeds, **changes):
    return parse_study({**table, "seeds": seeds, "claims": [{**SUPERIORITY, **changes}]})


def places(study):
    return [(at.model, at.set) for at in comparisons(study, study.claims[0])]


def test_a_claim_is_compared_on_every_set_of_its_kind(table):
    study = declared(table, 6)
    assert places(study) == [
        ("bert", "contrast"), ("bert", "counterfactual"), ("bert", "heuristics"), ("bert", "adversarial"),
    ]  # fmt: skip
    assert {at.seeds for at in comparisons(study, study.claims[0])} == {(0, 1, 2, 3, 4, 5)}


def test_sets_and_tasks_restrict_it(table):
    assert places(declared(table, 6, kind=None, sets=["heuristics", "validation"])) == [
        ("bert", "validation"), ("bert", "validation"), ("bert", "heuristics"),
    ]  # fmt: skip
    assert places(declared(table, 6, tasks=["sentiment"])) == [("bert", "contrast"), ("bert", "counterfactual")]


def test_seeds_are_those_that_both_methods_have(table):
    table["grid"][1]["seeds"] = [2, 3, 4, 5, 6, 7, 8]
    study = declared(table, 8)
    assert comparisons(study, study.claims[0])[0].seeds == (2, 3, 4, 5, 6, 7)


@pytest.mark.parametrize(
    ("seeds", "test", "message"),
    [
        (5, "superiority", "5 paired seeds (bert, sentiment), and a sign-flip test over them cannot go below 0.0625"),
        (4, "non_inferiority", "4 paired seeds (bert, sentiment), and a sign-flip test over them cannot go below 0.06"),
        (1, "superiority", "1 paired seeds (bert, sentiment), and a sign-flip test over them cannot go below 1"),
    ],
)
def test_a_test_that_can_never_reach_its_level_is_refused(table, seeds, test, message):
    with pytest.raises(MaskTuneError, match=re.escape(message)) as caught:
        declared(table, seeds, test=test)
    needed = {"superiority": 6, "non_inferiority": 5}[test]
    assert str(caught.value).endswith(f'declare {needed} seeds or more, or test = "estimate"')
    assert declared(table, needed, test=test)
    assert declared(table, seeds, test="estimate")


def test_seeds_that_are_not_shared_do_not_count(table):
    table["grid"][1]["seeds"] = list(range(3, 9))
    with pytest.raises(MaskTuneError, match="3 paired seeds"):
        declared(table, 6)


def test_an_unknown_set_is_one_line(table):
    with pytest.raises(MaskTuneError, match=r"^\[\[claims\]\]: unknown set 'hans'; expected one of valid"):
        declared(table, 6, kind=None, sets=["hans"])


def test_a_claim_that_compares_nothing_is_refused(table):
    table["grid"][1]["tasks"] = ["inference"]
    with pytest.raises(MaskTuneError, match="no model and task has cells of both"):
        declared(table, 6, tasks=["sentiment"])
