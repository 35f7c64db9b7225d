import pytest

from masktune.analysis import formatting


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.25, -0.5, 3.0, True), "+1.2 [\u22120.5, +3.0]"),
        ((-0.04, float("nan"), float("nan"), True), "0.0"),
        ((88.12, 87.0, 89.2), "88.1 [87.0, 89.2]"),
    ],
)
def test_intervals(values, text):
    assert formatting.interval(*values) == text
