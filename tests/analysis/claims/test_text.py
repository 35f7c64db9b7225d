import pandas as pd
import pytest

from masktune.analysis import claims
from masktune.errors import MaskTuneError


def test_conclusions_are_told():
    row = {
        "statement": "a is better",
        "tested": 5,
        "holds_on": 3,
        "opposite_on": 0,
        "comparisons": 5,
        "judged": 5,
        "verdict": "reproduced in part",
    }
    worse = {**row, "holds_on": 0, "opposite_on": 2, "verdict": "not reproduced", "reason": ""}
    untested = {**row, "tested": 0, "verdict": "not testable here", "reason": "runs missing"}
    assert claims.text.conclusions(pd.DataFrame([{**row, "reason": ""}, worse, untested])) == [
        "A is better: reproduced in part; it holds on at least 3 of 5 comparisons.",
        "A is better: not reproduced; it holds on at least 0 of 5 comparisons, its opposite on at least 2.",
        "A is better: not testable here: runs missing.",
    ]
    assert claims.text.conclusions(pd.DataFrame()) == ["This study declares no claims."]


def test_verdicts_are_held_against_predicted_ones():
    seen = {"name": ["HANS", "HANS"], "setting": ["embedded", "laptop"], "verdict": ["not reproduced", "not run"]}
    found = claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANS": "not reproduced"})
    assert found == ["HANS: predicted not reproduced, found not reproduced, as predicted."]
    assert claims.text.against_prediction(pd.DataFrame(seen), "laptop", {"HANS": "measured"})[0].endswith(
        "found not run."
    )
    with pytest.raises(MaskTuneError, match="unknown verdict 'yes'"):
        claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANS": "yes"})
    with pytest.raises(MaskTuneError, match="unknown claim 'HANZ'"):
        claims.text.against_prediction(pd.DataFrame(seen), "embedded", {"HANZ": "measured"})
