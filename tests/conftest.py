"""Fixtures that many tests share."""

import os
from pathlib import Path

# Models of a few thousand weights gain nothing by a second thread, and wait for it where a core is busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from tiny_models import masked_language_model, word_tokenizer

from masktune.models import FAMILIES


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


@pytest.fixture(params=FAMILIES)
def family(request) -> str:
    return request.param
