"""Fixtures that many tests share."""

from pathlib import Path

import pytest
import torch
from tiny_models import masked_language_model, word_tokenizer

from masktune.models import FAMILIES


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
