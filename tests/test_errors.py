import pytest

from masktune.errors import MaskTuneError, one_of


def test_a_known_name_is_returned():
    assert one_of("argmax", ["argmax", "sample"], "fill") == "argmax"


def test_an_unknown_name_is_quoted_beside_the_nearest_and_all_known_ones():
    with pytest.raises(MaskTuneError) as error:
        one_of("argmaks", ["argmax", "sample"], "fill")
    message = str(error.value)
    assert message == "unknown fill 'argmaks' (did you mean 'argmax'?); expected one of argmax, sample"
    assert "\n" not in message
