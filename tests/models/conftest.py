"""A padded batch, and which of its tokens are masked."""

import pytest
import torch
from transformers import AutoTokenizer


@pytest.fixture
def batch(checkpoints, family):
    tokenizer = AutoTokenizer.from_pretrained(checkpoints[family])
    texts = ["word1 word2 word3", "word4 word5 word6 word7 word8", "word9"]
    return dict(tokenizer(texts, padding=True, return_tensors="pt"))


def masked(batch, mask_id):
    positions = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    positions[0, 2] = positions[1, 1] = positions[1, 4] = True
    return batch["input_ids"].masked_fill(positions, mask_id), positions
