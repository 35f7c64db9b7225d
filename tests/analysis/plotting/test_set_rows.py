"""The names on the rows of a figure."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from masktune.analysis.plotting import set_rows


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        (False, ["contrast edits", "counterfactual edits"]),
        (True, ["contrast edits \N{MIDDLE DOT} BERT", "counterfactual edits\nBERT, pre-trained 48,000 steps"]),
    ],
)
def test_a_row_is_named_by_its_set_and_a_long_name_takes_two_lines(models, expected):
    axis = Figure().subplots()
    rows = [
        {"set": "contrast", "model": "bert", "kind": "out_of_distribution"},
        {"set": "counterfactual", "model": "bert-48000", "kind": "out_of_distribution"},
    ]
    set_rows.label_rows(axis, pd.DataFrame(rows), models)
    assert [label.get_text() for label in axis.get_yticklabels()] == expected
