"""The lessons whole, over three seeds: each shows what it and the instructor's page say, in time. `make lessons`.

Not one of the tests of `make test`: it trains for minutes, and wants a machine that does little else. The small model
is the one in the cache of the checkout, made if need be; stored predictions are those of the checkout.
"""

import os

import pytest
from course_expected import expected, stated
from lessons import SOURCES, read, walk

from masktune.course import pretrained

CACHE = os.environ.get("MASKTUNE_CACHE")  # as `make` sets it, before a fixture of all tests takes it away
A_CELL, A_LESSON = 60, 300  # seconds, of a lesson that has a core to itself
BESIDE = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))  # lessons at a time: what is two cores may be one
ELSEWHERE = 5  # points, or pairs, that another processor may be off the instructor's page, and half the range there


def near(value, low, high):
    """Whether a figure is what the page lets one expect: three seeds say little of how far a fourth may be off."""
    off = max(ELSEWHERE, (high - low) / 2)
    return low - off <= value <= high + off


@pytest.fixture(scope="module", autouse=True)
def small_model():
    with pytest.MonkeyPatch.context() as patch:
        if CACHE:
            patch.setenv("MASKTUNE_CACHE", CACHE)
        patch.delenv("MASKTUNE_RESULTS")  # the committed ones
        pretrained()
        yield


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_lesson_shows_what_it_says(path, seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, slowest, all_cells = walk(path, seed)
    failed = [line for line in read(path)["metadata"]["masktune"]["surprises"] if not eval(line, names)]
    assert failed == []
    lesson, page = read(path)["metadata"]["masktune"]["lesson"], stated()
    for said, expression in expected(path).items():
        low, high = page[lesson, said]
        assert near(eval(expression, names), low, high), said
    in_time = slowest < BESIDE * A_CELL and all_cells < BESIDE * A_LESSON
    assert in_time, f"beside {BESIDE - 1} others the slowest cell took {slowest:.0f} s, all {all_cells:.0f} s"
