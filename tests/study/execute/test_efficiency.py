"""How much of the workers' time was training."""

import pytest
from study.conftest import store

from masktune.study import paths
from masktune.study.execute import efficiency


@pytest.fixture
def cell(study):
    return study.cells[0]


@pytest.mark.parametrize("text", ["", "{}", '[{"runs": 3}]'])
def test_a_broken_record_of_calls_is_put_aside_and_a_new_one_begun(cell, results, text):
    store(cell, 0)
    path = paths.grid_file("small")
    path.write_text(text)
    assert efficiency.read("small") == []
    for number in (1, 2):
        with efficiency.record_call("small", 2, [cell.run_id(0)]):
            pass
        assert [record["runs"] for record in efficiency.read("small")] == [1] * number
    assert path.with_name("grid.json.damaged").read_text() == text


def test_of_several_calls_one_stands_for_the_study(cell):
    def call(number, runs, wall):
        return {"date": f"2026-01-0{number}", "workers": 2, "runs": runs, "wall_seconds": wall, "pure_seconds": wall}

    calls = [call(1, 291, 70.0), call(2, 291, 60.0), call(3, 1, 5.0), call(4, 0, 1.0)]
    assert efficiency.largest(calls) is calls[1]
    assert efficiency.share(calls[1]) == 0.5
    assert efficiency.largest(calls[3:]) is None
