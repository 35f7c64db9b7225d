"""Fixtures that many tests share."""

import gc
import os
import shutil
from pathlib import Path

# Models of a few thousand weights gain nothing by a second thread, and wait for it where a core is busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import safetensors.torch
import torch
from tiny_models import FAMILIES, masked_language_model, rewrite, with_old_names, word_tokenizer


def pytest_collection_finish() -> None:
    """What is imported stays: no collection walks through it, and accelerate collects garbage with each training."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nothing_of_the_user(tmp_path_factory):
    """No test reads what a user's commands have made: results, cached models, a mirror."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MASKTUNE_RESULTS", "MASKTUNE_CACHE"):
            patch.setenv(name, str(tmp_path_factory.mktemp("empty")))
        patch.delenv("MASKTUNE_MIRROR", raising=False)
        yield


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    """Folders with a tokenizer and a trained-looking masked language model, by family."""
    folders = {}
    for family in FAMILIES:
        torch.manual_seed(0)
        folders[family] = tmp_path_factory.mktemp("checkpoints") / family
        masked_language_model(family).save_pretrained(folders[family])
        word_tokenizer(family).save_pretrained(folders[family])
    return folders


@pytest.fixture(scope="session")
def odd_checkpoints(checkpoints, tmp_path_factory) -> dict[tuple[str, str], Path]:
    """By (family, oddity): a checkpoint with "old names" of LayerNorms, or with "its own decoder" to the vocabulary."""
    folders = {}
    for family in FAMILIES:
        folders[family, "its own decoder"] = folder = tmp_path_factory.mktemp("checkpoints") / "own"
        torch.manual_seed(0)
        masked_language_model(family, tied=False).save_pretrained(folder)
        word_tokenizer(family).save_pretrained(folder)
        weights = safetensors.torch.load_file(checkpoints[family] / "model.safetensors")
        if with_old_names(weights).keys() != weights.keys():
            folders[family, "old names"] = tmp_path_factory.mktemp("checkpoints") / "old"
            shutil.copytree(checkpoints[family], folders[family, "old names"])
            rewrite(folders[family, "old names"], with_old_names)
    return folders


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    return request.param
