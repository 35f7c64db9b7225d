"""Whether an accelerator is used: as asked, where it can be."""

import pytest

from masktune import MaskTuneError
from masktune.training.cpu.choice import decide


@pytest.mark.parametrize(
    ("asked", "pays", "obstacle", "expected"),
    [
        (None, True, None, True),
        (None, False, None, False),
        (None, True, "it is too late", False),
        (True, False, None, True),
        (False, True, None, False),
        (False, True, "it is too late", False),
    ],
)
def test_it_is_used_as_asked_and_by_itself_where_it_pays(asked, pays, obstacle, expected):
    assert decide("haste", asked, pays, lambda: obstacle) is expected


def test_what_was_asked_for_and_cannot_be_is_refused_in_one_line():
    with pytest.raises(MaskTuneError, match=r"^haste=True: it is too late; leave it at None, .*$"):
        decide("haste", True, True, lambda: "it is too late")


@pytest.mark.parametrize(("asked", "pays"), [(False, True), (None, False)])
def test_nothing_is_tried_where_it_would_not_be_used(asked, pays):
    assert decide("haste", asked, pays, lambda: 1 / 0) is False
