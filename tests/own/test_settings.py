"""Settings: nonsense is refused, the command repeats them, and only what changes a result is in their identity."""

import shlex

import pytest

from masktune import MaskTuneError
from masktune.__main__ import parser
from masktune.own import commands
from masktune.own.settings import Settings, difference, parse_renames

GIVEN = {"file": "my reviews.csv", "output": "out", "model": "bert"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seeds": 0}, "--seeds = 0; expected 1 or more"),
        ({"epochs": 0}, "--epochs = 0"),
        ({"batch_size": -1}, "--batch-size = -1"),
        ({"learning_rate": 2.0}, "--learning-rate = 2.0; expected a number between 0 and 1"),
        ({"max_length": 2}, "--max-length = 2"),
        ({"class_weights": "some"}, "unknown --class-weights 'some'; expected one of none, balanced"),
        ({"precision": "fp8"}, "unknown --precision"),
        ({"device": "tpu"}, "unknown --device"),
        ({"method": "fine_tuning", "alpha": 0.5}, "--alpha is an option of Mask-tuning, and --method is 'fine_tuning'"),
        ({"method": "fine_tuning", "compare": ("fine_tuning",)}, "each method once"),
        ({"compare": ("r_drop", "r_drop")}, "each method once"),
        ({"rename_labels": ("0",)}, "expected OLD=NEW"),
        ({"rename_labels": ("0=a", "0=b")}, "'0' has two new names"),
    ],
)
def test_nonsense_is_one_line(given, message):
    with pytest.raises(MaskTuneError) as caught:
        Settings(**GIVEN, **given)
    assert message in str(caught.value)


SETTINGS = [
    Settings(**GIVEN),
    Settings(
        **GIVEN, text=("premise", "hypothesis"), label="gold label", cluster="pair of edits",
        rename_labels=("0=very bad", "-1=it's 'bad'", '2="good"'), validation="v.csv", test="t.csv",
        ood=("a.csv", "b c.csv"), method="mask_tuning+free_lb", alpha=0.1234567891,
        mask_rate=0.1, compare=("fine_tuning", "r_drop"), seeds=3, epochs=5, learning_rate=3e-5, batch_size=16,
        max_length=128, class_weights="balanced", revision="abc", precision="fp32", device="cpu",
    ),
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=["few", "many"])
def test_the_command_repeats_the_settings(settings):
    _, *words = shlex.split(settings.command())
    assert commands.settings_of(parser().parse_args(words)) == settings


def test_what_only_adds_runs_or_says_where_things_are_is_no_part_of_the_identity():
    more = Settings(**{**GIVEN, "file": "elsewhere.csv", "output": "b"}, seeds=5, compare=("r_drop",), device="cpu")
    assert more.identity() == Settings(**GIVEN).identity() == {}
    assert Settings(**GIVEN, alpha=0.3).identity() == {"alpha": 0.3}


def test_a_difference_names_what_changed():
    assert difference({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}) == ""
    assert (
        difference({"settings": {}}, {"settings": {"mask_rate": 0.1}}) == "settings: mask rate was not given, now 0.1"
    )
    assert difference({"data": {"train": "a" * 64}}, {"data": {"train": "b" * 64}}) == (
        "data: train was aaaaaaaaaaaa, now bbbbbbbbbbbb"
    )


def test_names_of_classes_are_split_at_the_last_equals_sign():
    """What stands in the data may have any form; the new name is of the user's choice."""
    assert parse_renames(["a=b=bad", " 1 = good "]) == {"a=b": "bad", "1": "good"}
