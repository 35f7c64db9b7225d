"""Claims as they are declared."""

import dataclasses

import pytest

from masktune.study.design import claims
from masktune.study.design.load import parse_study


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("level", [0.05, 0.05 / 24, 0.03125])
def test_the_fewest_seeds_are_the_fewest(level, sides):
    needed = claims.seeds_needed(level, sides)
    assert claims.smallest_p(needed, sides) <= level < claims.smallest_p(needed - 1, sides)


def test_a_list_of_labels_stands_for_a_claim_of_each(table):
    table["grid"].append({"label": "alpha", "method": "mask_tuning", "alpha": [0.2, 0.8]})
    labels = ["Mask-tuning", "alpha (alpha 0.2)", "alpha (alpha 0.8)"]
    claim = {"against": "fine-tuning", "kind": "out_of_distribution", "test": "superiority"}
    study = parse_study({**table, "seeds": 6, "claims": [{**claim, "method": labels}]})
    assert [(claim.method, claim.against) for claim in study.claims] == [(label, "fine-tuning") for label in labels]
    assert study.claims[1] == dataclasses.replace(study.claims[0], method=labels[1])
