import json

import pytest
import torch
from tiny_models import word_tokenizer
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification, AutoTokenizer, pipeline
from transformers.models.bart.modeling_bart import shift_tokens_right

from masktune.errors import MaskTuneError
from masktune.models import FAMILIES, MaskTuningModel

NAMES = ("negative", "positive")


@pytest.fixture
def model(checkpoints, family):
    return MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0).eval()


@pytest.fixture
def batch(checkpoints, family):
    tokenizer = AutoTokenizer.from_pretrained(checkpoints[family])
    texts = ["word1 word2 word3", "word4 word5 word6 word7 word8", "word9"]
    return dict(tokenizer(texts, padding=True, return_tensors="pt"))


def masked(batch, mask_id):
    positions = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    positions[0, 2] = positions[1, 1] = positions[1, 4] = True
    return batch["input_ids"].masked_fill(positions, mask_id), positions


def test_mlm_logits_are_those_of_transformers_at_the_masked_positions(checkpoints, family, model, batch):
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
    logits = model.mlm_logits(masked_ids, batch["input_ids"], positions, **others)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_barts_decoder_never_sees_the_token_it_predicts(checkpoints):
    """What stands at a masked position, and after it, changes no prediction there."""
    model = MaskTuningModel.from_pretrained(checkpoints["bart"], NAMES, seed=0).eval()
    input_ids = torch.tensor([[0, 5, 6, 7, 2]])
    positions = torch.tensor([[0, 0, 1, 0, 0]]).bool()
    attention_mask = torch.ones_like(input_ids)
    masked_ids = input_ids.masked_fill(positions, 44)
    changed = torch.tensor([[0, 5, 9, 7, 2]])
    first = model.mlm_logits(masked_ids, input_ids, positions, attention_mask=attention_mask)
    second = model.mlm_logits(masked_ids, changed, positions, attention_mask=attention_mask)
    torch.testing.assert_close(first, second)


def test_the_heads_share_one_encoder(model, family):
    embeddings = model.classifier.get_input_embeddings().weight
    assert any(parameter is embeddings for parameter in model.mlm_head.parameters())
    assert model.mlm_encoder is None


def test_separate_and_frozen_networks_have_an_encoder_of_their_own(checkpoints, family):
    separate = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder="separate")
    shared = {id(parameter) for parameter in separate.classifier.parameters()}
    assert not shared & {id(parameter) for parameter in separate.mlm_encoder.parameters()}
    frozen = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder="frozen")
    assert not any(p.requires_grad for m in (frozen.mlm_encoder, frozen.mlm_head) for p in m.parameters())
    assert all(p.requires_grad for p in frozen.classifier.parameters())


def test_the_seed_alone_decides_the_new_head(checkpoints, family):
    first, again, other = (
        MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=seed).classifier.state_dict()
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("encoder", ["shared", "separate"])
def test_an_exported_folder_is_a_plain_classifier_with_the_same_logits(tmp_path, checkpoints, family, batch, encoder):
    model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=encoder).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01)
    model.save_pretrained(tmp_path)
    word_tokenizer(family).save_pretrained(tmp_path)
    expected = model(**batch).logits
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(plain(**batch).logits, expected)
    assert plain.config.id2label == dict(enumerate(NAMES))
    best = pipeline("text-classification", model=str(tmp_path))("word1 word2 word3")[0]
    assert best["label"] == NAMES[expected[0].argmax()]
    assert best["score"] == pytest.approx(expected[0].softmax(-1).max().item(), abs=1e-5)
    again = MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=5, encoder=encoder).eval()
    state, loaded = model.state_dict(), again.state_dict()
    assert all(torch.equal(state[name], loaded[name]) for name in state)


def test_a_classifier_alone_needs_no_language_model(checkpoints, family, batch):
    model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=None)
    assert model.mlm_head is None and model(**batch).logits.shape == (3, 2)


def test_a_checkpoint_without_a_trained_head_is_refused(tmp_path, checkpoints):
    plain = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    plain.save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match="no trained masked-LM head"):
        MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0)


def test_a_checkpoint_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(MaskTuneError) as error:
        MaskTuningModel.from_pretrained(tmp_path / "nowhere", NAMES, seed=0)
    assert "nowhere" in str(error.value) and "\n" not in str(error.value)


def test_an_unknown_family_names_the_known_ones(tmp_path):
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "n_head": 1, "vocab_size": 8})
    )
    config = AutoConfig.from_pretrained(tmp_path)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match=f"unknown model type 'gpt2'.*{', '.join(FAMILIES)}"):
        MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=0)


def test_a_classifier_from_nowhere_says_what_to_do(checkpoints):
    config = AutoConfig.from_pretrained(checkpoints["bert"])
    config.name_or_path = ""
    with pytest.raises(MaskTuneError, match="was not loaded from a checkpoint"):
        MaskTuningModel.from_classifier(AutoModelForSequenceClassification.from_config(config))
