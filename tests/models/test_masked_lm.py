"""The masked language model, alone and as the second head of a classifier, against that of transformers."""

import shutil

import pytest
import torch
from models.conftest import masked
from tiny_models import rewrite, word_tokenizer
from transformers import AutoModelForMaskedLM, AutoModelForSequenceClassification
from transformers.models.bart.modeling_bart import shift_tokens_right

from masktune.errors import MaskTuneError
from masktune.models import MaskTuningModel
from masktune.models.masked_lm import load_masked_lm, load_masked_lm_and_missing

NAMES = ("negative", "positive")
LOADERS = {
    "alone": load_masked_lm,
    "second head": lambda checkpoint: MaskTuningModel.from_pretrained(checkpoint, NAMES, seed=0),
}


@pytest.fixture(params=LOADERS)
def load(request):
    return LOADERS[request.param]


def test_mlm_logits_are_those_of_transformers_at_the_masked_positions(checkpoints, family, batch, load):
    """Rows without a mask are left out, and so is every position that is not masked; what remains is the same."""
    mask_id = word_tokenizer(family).mask_token_id
    masked_ids, positions = masked(batch, mask_id)
    reference = AutoModelForMaskedLM.from_pretrained(checkpoints[family]).eval()
    inputs = {**batch, "input_ids": masked_ids}
    if family == "bart":
        config = reference.config
        inputs["decoder_input_ids"] = shift_tokens_right(
            batch["input_ids"], config.pad_token_id, config.decoder_start_token_id
        )
    expected = reference(**inputs).logits[positions]
    others = {name: values for name, values in batch.items() if name != "input_ids"}
    logits = load(checkpoints[family]).eval().mlm_logits(masked_ids, batch["input_ids"], positions, **others)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_barts_decoder_never_sees_the_token_it_predicts(checkpoints, load):
    """What stands at a masked position, and after it, changes no prediction there."""
    model = load(checkpoints["bart"]).eval()
    input_ids = torch.tensor([[0, 5, 6, 7, 2]])
    positions = torch.tensor([[0, 0, 1, 0, 0]]).bool()
    attention_mask = torch.ones_like(input_ids)
    masked_ids = input_ids.masked_fill(positions, 44)
    changed = torch.tensor([[0, 5, 9, 7, 2]])
    first = model.mlm_logits(masked_ids, input_ids, positions, attention_mask=attention_mask)
    second = model.mlm_logits(masked_ids, changed, positions, attention_mask=attention_mask)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_the_one_bias_of_a_decoder_that_transformers_4_stored_is_its_bias(tmp_path, odd_checkpoints, family):
    shutil.copytree(odd_checkpoints[family, "its own decoder"], tmp_path / "old")
    bias = torch.arange(45.0)
    rewrite(
        tmp_path / "old",
        lambda weights: {
            name: bias if name in ("cls.predictions.bias", "lm_head.bias") else value
            for name, value in weights.items()
            if not name.endswith("decoder.bias")
        },
    )
    head = load_masked_lm(tmp_path / "old")
    assert any(torch.equal(module.bias, bias) for module in head.modules() if getattr(module, "out_features", 0) == 45)


def test_a_head_that_was_never_trained_is_refused_or_named(tmp_path, checkpoints):
    AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"]).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match="no trained masked-LM head .*is missing"):
        load_masked_lm(tmp_path)
    _, missing = load_masked_lm_and_missing(tmp_path)
    assert missing and all(name.startswith("cls.") for name in missing)
    assert load_masked_lm_and_missing(checkpoints["bert"])[1] == []
