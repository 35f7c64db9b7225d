import numpy as np
import pandas as pd

from masktune.analysis import claims
from masktune.analysis.claims import gates, verdicts
from masktune.analysis.table import latex, markdown

CLAIMED = {
    "claim": 1, "test": "superiority", "task": "paraphrase", "model": "bert", "set": "heuristics", "margin": np.nan,
    "method": "Mask-tuning", "against": "fine-tuning", "seeds": 10, "verdict": verdicts.NOT_REPRODUCED, "reason": "",
    "trained": "both", "control": "passed", "remedies": "2 of 2 gain", "gate": "", "gate_reason": "",
}  # fmt: skip


COMPARED = {
    "difference": 1.25, "low": -0.5, "high": 3.0, "bound": -1.2, "p": 0.012, "corrected_p": 0.036,
    "probability_greater": 0.7, "examples": 60,
}  # fmt: skip


KEPT = {"claim": 2, "test": "non_inferiority", "set": "validation", "margin": 0.5}


MISSING = {"set": "swaps", "seeds": 0, "verdict": verdicts.NOT_TESTABLE, "reason": "runs missing"}


def test_claims_show_what_was_asked_for_and_the_verdict():
    rows = [{**COMPARED, **CLAIMED}, {**COMPARED, **CLAIMED, **KEPT}, {**CLAIMED, **MISSING}]
    frame = pd.DataFrame(rows, columns=claims.numbers.COLUMNS)
    table = claims.tables.claims(frame)
    shown = table.shown.set_index("Set")
    assert shown.columns[3] == "Mask-tuning \u2212 fine-tuning [95 %]"
    assert shown["Asked for"].tolist() == ["> 0", "> \u22120.5 (bound \u22121.2)", "> 0"]
    dash, missing = "\u2013", "not testable here: runs missing"
    assert shown.loc["word swaps"].tolist()[3:] == [dash, "> 0", dash, dash, dash, "0", dash, dash, missing]
    assert shown["Gates"].tolist() == ["trained: both; control: passed; remedies: 2 of 2 gain"] * 2 + ["\u2013"]
    assert shown["Corrected p"].tolist()[:2] == ["0.036", "0.036"]
    assert "10 paired seeds, 60 examples a set" in table.caption and "Holm" in table.caption
    for text in (markdown(table), latex(table)):
        assert "nan" not in text


def test_conclusions_count_and_show_the_range():
    row = {
        "claim": 1, "statement": "A is better than B", "test": "superiority", "comparisons": 5, "judged": 5,
        "tested": 5,
        "holds_on": 3, "opposite_on": 1, "fewest_seeds": 8, "seeds": 10, "difference": 1.0, "lowest": -2.0,
        "highest": 4.0, "verdict": verdicts.IN_PART, "reason": "",
    }  # fmt: skip
    closed = {**row, "judged": 4}
    unrun = {
        **row,
        "tested": 0,
        "fewest_seeds": 0,
        "seeds": 0,
        "difference": float("nan"),
        "verdict": verdicts.NOT_TESTABLE,
    }
    table = claims.tables.conclusions(pd.DataFrame([row, closed, {**unrun, "reason": "runs missing"}]))
    assert table.shown["Holds on"].tolist() == [
        "at least 3 of 5, its opposite on 1", "at least 3 of 4 judged (5 declared), its opposite on 1", "\u2013",
    ]  # fmt: skip
    assert table.shown.iloc[0, 3] == "+1.0 (\u22122.0 to +4.0)" and table.shown.iloc[2, 3] == "\u2013"
    assert table.shown["Seeds"].tolist() == ["8 to 10", "8 to 10", "0"]
    assert table.shown["Verdict"].tolist() == ["reproduced in part"] * 2 + ["not testable here: runs missing"]
    assert "0 to 10 paired seeds where there are most" in table.caption and "no interval" in table.caption


def test_without_gates_there_is_no_column_and_the_caption_says_so():
    row = {**COMPARED, **CLAIMED, "trained": gates.NO_GATES, "control": gates.NO_GATES, "remedies": gates.NO_GATES}
    table = claims.tables.claims(pd.DataFrame([row], columns=claims.numbers.COLUMNS))
    assert "Gates" not in table.shown and "No gates declared." in table.caption
