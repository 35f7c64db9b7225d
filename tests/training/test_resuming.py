"""What a run stores is what it goes on from, whatever names and heads its checkpoint has."""

import pytest
import torch
from tiny_models import rewrite
from tiny_runs import same, weights
from transformers import TrainerCallback

from masktune import MaskTuneError, MaskTuning
from masktune.models.masked_lm import HEAD_FILE

pytestmark = pytest.mark.slow

ODD = [
    ("bert", None),
    ("bert", "old names"),
    ("bert", "its own decoder"),
    ("roberta", None),
    ("roberta", "old names"),
    ("roberta", "its own decoder"),
    ("bart", None),
    ("bart", "its own decoder"),
]
STEPS = {"save_strategy": "steps", "save_steps": 2, "max_steps": 4}


class Snapshots(TrainerCallback):
    """The weights after each step."""

    def __init__(self):
        self.weights = []

    def on_step_end(self, args, state, control, model=None, **rest):
        self.weights.append({name: value.clone() for name, value in model.state_dict().items()})


@pytest.mark.parametrize("encoder", ["shared", "separate", "frozen"])
@pytest.mark.parametrize(("family", "oddity"), ODD)
def test_the_best_checkpoint_and_the_resumed_run_are_those_of_the_straight_run_bit_for_bit(
    tmp_path, trainer, checkpoints, odd_checkpoints, family, oddity, encoder
):
    checkpoint = odd_checkpoints[family, oddity] if oddity else checkpoints[family]
    common = {"family": family, "checkpoint": checkpoint, "method": MaskTuning(mask_rate=0.3, encoder=encoder)}
    best = {"load_best_model_at_end": True, "metric_for_best_model": "score", "eval_strategy": "steps", "eval_steps": 2}
    scores, steps = iter([0.9, 0.5]), Snapshots()
    straight = trainer(
        folder="straight", metrics=lambda _: {"score": next(scores)}, callbacks=[steps], **common, **STEPS, **best
    )
    straight.train()
    assert not same(steps.weights[1], steps.weights[3])
    assert same(weights(straight), steps.weights[1])
    resumed = trainer(folder="resumed", **common, **STEPS)
    resumed.train(resume_from_checkpoint=str(tmp_path / "straight" / "checkpoint-2"))
    assert same(weights(resumed), steps.weights[3])


def without_first(weights):
    return dict(sorted(weights.items())[1:])


def with_another(weights):
    return {**weights, "another.weight": torch.zeros(2)}


def with_longer_first(weights):
    name = min(weights)
    return {**weights, name: torch.cat([weights[name], weights[name]])}


@pytest.mark.parametrize("family", ["bert", "bart"])
@pytest.mark.parametrize("file", ["model.safetensors", HEAD_FILE])
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (without_first, "{first!r} is missing"),
        (with_another, "'another.weight' is not one of the model's"),
        (with_longer_first, "{first!r} has the shape"),
    ],
)
def test_a_folder_with_other_tensors_than_the_model_has_is_refused_by_name(
    tmp_path, trainer, family, file, change, fault
):
    run = trainer(family)
    run.save_model(str(tmp_path / "saved"))
    first = []
    rewrite(tmp_path / "saved", lambda weights: first.append(min(weights)) or change(weights), file)
    with pytest.raises(MaskTuneError) as error:
        run.model.load_weights(tmp_path / "saved")
    assert fault.format(first=first[0]) in str(error.value) and file in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", ["model.safetensors", HEAD_FILE])
@pytest.mark.parametrize("content", [None, b"broken"])
def test_a_folder_without_its_files_is_refused_in_one_line(tmp_path, trainer, file, content):
    run = trainer()
    run.save_model(str(tmp_path / "saved"))
    (tmp_path / "saved" / file).unlink()
    if content:
        (tmp_path / "saved" / file).write_bytes(content)
    with pytest.raises(MaskTuneError, match=file) as error:
        run.train(resume_from_checkpoint=str(tmp_path / "saved"))
    assert "\n" not in str(error.value)
