"""Other ways to use several devices than DistributedDataParallel are refused in one line, by name."""

from types import SimpleNamespace

import pytest
import torch
from transformers import TrainingArguments

from masktune import MaskTuneError, MaskTuning, methods
from masktune.training.devices import check_devices, first, len_of


def on(trainer, monkeypatch, **changes):
    """The trainer's state as another launcher would make it."""
    for name, value in changes.items():
        monkeypatch.setattr(TrainingArguments if name in ("n_gpu", "world_size") else trainer, name, value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_gpu": 2}, "2 devices in one process would be torch's DataParallel.*torchrun --nproc-per-node 2"),
        ({"is_deepspeed_enabled": True}, "^DeepSpeed is not supported.*torchrun or accelerate launch"),
        ({"is_fsdp_enabled": True}, "^FSDP is not supported"),
        ({"world_size": 2}, "^a launcher without torch.distributed is not supported"),
    ],
)
def test_by_launcher(trainer, monkeypatch, changes, message):
    made = trainer(method=MaskTuning())
    on(made, monkeypatch, **changes)
    with pytest.raises(MaskTuneError, match=message) as error:
        check_devices(made)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("is_model_parallel", True, r"several devices \(device_map\) is not supported"),
        ("is_distributed_loading_by_transformers", True, "sharded as it is loaded is not supported"),
    ],
)
def test_by_model(trainer, monkeypatch, name, value, message):
    made = trainer(method=MaskTuning())
    monkeypatch.setattr(made, name, value, raising=False)
    with pytest.raises(MaskTuneError, match=message):
        check_devices(made)


def test_a_model_split_over_devices_is_refused(trainer, monkeypatch):
    made = trainer(method=MaskTuning())
    sizes = SimpleNamespace(tp_size=2, cp_size=1, sp_size=1)
    monkeypatch.setattr(type(made.accelerator), "parallelism_config", sizes, raising=False)
    with pytest.raises(MaskTuneError, match="^parallelism_config is not supported"):
        check_devices(made)


def test_uneven_batches_of_several_processes_are_refused(trainer, monkeypatch):
    made = trainer(method=MaskTuning(), accelerator_config={"even_batches": False})
    check_devices(made)
    on(made, monkeypatch, world_size=2)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    with pytest.raises(MaskTuneError, match="even_batches = False leaves some processes without a last batch"):
        check_devices(made)


def test_a_model_that_prepare_trains_is_trained_by_one_process(make_builder, monkeypatch):
    builder = make_builder()
    method = methods.build("confidence_regularisation", bias_model="small")
    with monkeypatch.context() as several:
        several.setattr(TrainingArguments, "world_size", 2)
        with pytest.raises(MaskTuneError, match="prepare has to train a model, which one process does") as error:
            builder.prepare(method)
    assert "\n" not in str(error.value)
    builder.prepare(method)
    monkeypatch.setattr(TrainingArguments, "world_size", 2)
    assert "prepared_teacher" in builder.prepare(method).column_names  # it was kept


def test_the_first_rows_of_a_batch_are_of_what_has_one_for_each_example():
    batch = {
        "input_ids": torch.zeros(3, 4),
        "labels": torch.arange(3),
        "texts": ["a", "b", "c"],
        "step": torch.tensor(5),
    }
    short = first(batch, 2)
    assert len_of(short) == 2 and short["labels"].tolist() == [0, 1]
    assert short["texts"] == ["a", "b"] and short["step"] == 5
    assert first(batch, 3) is batch
