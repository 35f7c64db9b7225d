"""Every supported type of encoder: the masked language model is transformers' own, on the classifier's encoder."""

import json
import shutil

import pytest
import torch
from datasets import Dataset
from encoders import CONFIGS, TYPES, masked_language_model, tokenizer_of
from models.conftest import masked
from tiny_models import rewrite
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    ElectraForPreTraining,
    TrainingArguments,
)

from masktune import MaskTuneError, MaskTuningModel, MaskTuningTrainer, methods
from masktune.losses import ENCODERS
from masktune.models.masked_lm import load_masked_lm
from masktune.streams import Streams

NAMES = ("negative", "positive")
TEXTS = ["word1 word2 word3", "word4 word5 word6 word7 word8", "word9"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folder of a type of model with its tokenizer, made when it is asked for."""
    made = {}

    def folder_of(model_type):
        if model_type not in made:
            torch.manual_seed(0)
            made[model_type] = tmp_path_factory.mktemp("encoders") / model_type
            masked_language_model(model_type).save_pretrained(made[model_type])
            tokenizer_of(model_type).save_pretrained(made[model_type])
        return made[model_type]

    return folder_of


@pytest.fixture(params=TYPES)
def model_type(request):
    return request.param


@pytest.fixture
def folder(folders, model_type):
    return folders(model_type)


def batch_of(model_type):
    return dict(tokenizer_of(model_type)(TEXTS, padding=True, return_tensors="pt"))


def asked(batch, mask_id=44):
    """What `mlm_logits` is asked: (masked ids, ids, positions), and the other inputs."""
    masked_ids, positions = masked(batch, mask_id)
    others = {name: values for name, values in batch.items() if name != "input_ids"}
    return (masked_ids, batch["input_ids"], positions), others


def logits_of_transformers(reference, batch):
    (masked_ids, input_ids, positions), others = asked(batch)
    if reference.config.is_encoder_decoder:
        others["decoder_input_ids"] = reference.prepare_decoder_input_ids_from_labels(input_ids)
    with torch.no_grad():
        return reference.eval()(input_ids=masked_ids, **others).logits[positions]


def load(folder, encoder="shared", **given):
    return MaskTuningModel.from_pretrained(folder, NAMES, seed=0, encoder=encoder, **given).eval()


def changed(model):
    """The model with other weights, as after training."""
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters()):
            parameter.add_(0.001 * (number % 7))
    return model


@pytest.mark.parametrize("encoder", ENCODERS)
def test_mlm_logits_are_those_of_transformers(folder, model_type, encoder):
    batch = batch_of(model_type)
    given, others = asked(batch)
    expected = logits_of_transformers(AutoModelForMaskedLM.from_pretrained(folder), batch)
    with torch.no_grad():
        logits = load(folder, encoder).mlm_logits(*given, **others)
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-6)


def test_an_encoder_that_the_classifier_does_not_share_is_refused_with_a_way_on(tmp_path):
    """Funnel classifies with its encoder alone, and predicts masked words with a decoder behind it."""
    sizes = {"d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32, "block_sizes": [1, 1], "num_decoder_layers": 1}
    config = AutoConfig.for_model("funnel", vocab_size=45, **sizes)
    AutoModelForMaskedLM.from_config(config).save_pretrained(tmp_path)
    for attach in (
        lambda: MaskTuningModel.from_classifier(AutoModelForSequenceClassification.from_pretrained(tmp_path)),
        lambda: MaskTuningModel.from_pretrained(tmp_path, ["bad", "good"], seed=0),
    ):
        with pytest.raises(MaskTuneError, match="FunnelBaseModel, .* a FunnelModel: .*encoder='separate'") as error:
            attach()
        assert "\n" not in str(error.value)
    assert MaskTuningModel.from_pretrained(tmp_path, ["bad", "good"], seed=0, encoder="separate").encoder == "separate"


def test_a_loaded_classifier_gets_the_head_of_its_checkpoint(folder, model_type):
    batch = batch_of(model_type)
    given, others = asked(batch)
    classifier = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3).eval()
    alone = classifier(**batch).logits
    model = MaskTuningModel.from_classifier(classifier)
    expected = logits_of_transformers(AutoModelForMaskedLM.from_pretrained(folder), batch)
    torch.testing.assert_close(model.mlm_logits(*given, **others), expected, rtol=1e-5, atol=1e-6)
    assert torch.equal(model(**batch).logits, alone)


def test_the_loss_of_the_language_model_trains_encoder_and_head(folder, model_type):
    model, batch = load(folder), batch_of(model_type)
    (masked_ids, input_ids, positions), others = asked(batch)
    torch.nn.functional.cross_entropy(
        model.mlm_logits(masked_ids, input_ids, positions, **others), input_ids[positions]
    ).backward()
    words = model.classifier.get_input_embeddings().weight
    tied = AutoModelForMaskedLM.from_pretrained(folder)
    is_tied = tied.get_output_embeddings().weight is tied.get_input_embeddings().weight
    assert is_tied == any(parameter is words for parameter in model.mlm_head.parameters())
    assert is_tied != (model_type in ("eurobert", "rembert", "esmc"))  # the types that tie nothing
    assert all(parameter.grad is not None for parameter in model.mlm_head.parameters())
    inside = [name for name, value in model.encoder_of_classifier.named_parameters() if value.grad is not None]
    assert len(inside) >= 10
    assert all(value.grad is None for name, value in model.classifier.named_parameters() if "classif" in name)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_what_is_saved_is_a_plain_classifier_and_is_loaded_whole(tmp_path, folder, model_type, encoder):
    batch, model = batch_of(model_type), changed(load(folder, encoder))
    model.save_pretrained(tmp_path)
    expected = model(**batch).logits
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(plain(**batch).logits, expected)
    given, others = asked(batch)
    other = load(folder, encoder)
    other.load_weights(tmp_path)
    for again in (load(tmp_path, encoder), other):
        torch.testing.assert_close(again(**batch).logits, expected)
        torch.testing.assert_close(again.mlm_logits(*given, **others), model.mlm_logits(*given, **others))
        assert all(torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items())


@pytest.mark.proof
@pytest.mark.parametrize("way", ["the classifier before", "both heads after"])
@pytest.mark.parametrize("encoder", ["shared", "separate"])
def test_added_tokens_are_known_to_both_heads(tmp_path, folder, model_type, encoder, way):
    batch, size = batch_of(model_type), 48
    (masked_ids, input_ids, positions), others = asked(batch)
    masked_ids = masked_ids.masked_fill(masked_ids == 44, 47)  # the mask token is one that was added
    before = load(folder, encoder)
    classifier = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2).eval()
    if model_type == "esm":  # transformers leaves its head's bias as long as it was
        with pytest.raises(MaskTuneError, match="the masked-LM head of EsmForMaskedLM cannot be given 48 tokens"):
            MaskTuningModel.from_classifier(classifier, encoder).resize_token_embeddings(size)
        return
    if way == "both heads after":
        model = MaskTuningModel.from_classifier(classifier, encoder).eval()
        model.resize_token_embeddings(size)
    else:
        classifier.resize_token_embeddings(size)
        model = MaskTuningModel.from_classifier(classifier, encoder).eval()
    assert model.config.vocab_size == model.mlm_head.config.vocab_size == size
    logits = model.mlm_logits(masked_ids, input_ids, positions, **others)
    assert logits.shape == (3, size) and logits.isfinite().all()
    logits.sum().backward()
    words = model.classifier.get_input_embeddings().weight
    with torch.no_grad():  # the new mask token reads as the old one did: what was known is as before
        for weight in {
            words,
            *(() if model.mlm_encoder is None else (model.mlm_encoder.get_input_embeddings().weight,)),
        }:
            weight[47] = weight[44]
    again = model.mlm_logits(masked_ids, input_ids, positions, **others)[:, :45]
    given, _ = asked(batch)
    torch.testing.assert_close(again, before.mlm_logits(*given, **others), rtol=1e-4, atol=1e-5)
    model.save_pretrained(tmp_path)
    reloaded = load(tmp_path, encoder).mlm_logits(masked_ids, input_ids, positions, **others)
    torch.testing.assert_close(reloaded[:, :45], again, rtol=1e-4, atol=1e-5)


@pytest.mark.proof
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_both_heads_have_the_number_type_that_is_asked_for(tmp_path, folder, model_type, dtype):
    if model_type == "deberta":
        pytest.skip("transformers' own has biases that stay float32, and cannot multiply them")
    batch = batch_of(model_type)
    given, others = asked(batch)
    classifier = AutoModelForSequenceClassification.from_pretrained(folder, dtype=dtype)
    for model in (load(folder, dtype=dtype), MaskTuningModel.from_classifier(classifier, "separate")):
        assert {value.dtype for value in model.parameters()} == {dtype}
        assert model.mlm_logits(*given, **others).dtype == model(**batch).logits.dtype == dtype
    model = load(folder, dtype=dtype)
    model.save_pretrained(tmp_path)
    assert {value.dtype for value in load(tmp_path).parameters()} == {dtype}
    assert {value.dtype for value in load(tmp_path, dtype=torch.float32).parameters()} == {torch.float32}


def test_words_that_are_read_softly_are_words(folder, model_type):
    """The embedding of a token, read in the place of another, is that token: FreeLB and soft fills rely on it."""
    if model_type == "mbart":
        pytest.skip("refused, as is tested below")
    model, batch = load(folder), batch_of(model_type)
    where = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    where[0, 2] = where[1, 3] = True
    other = batch["input_ids"].masked_fill(where, 20)
    words = model.classifier.get_input_embeddings().weight[other]
    softly = model(**batch, soft_words=words, soft_positions=where).logits
    torch.testing.assert_close(softly, model(**{**batch, "input_ids": other}).logits, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(softly, model(**batch).logits)
    delta = torch.zeros_like(words).requires_grad_()
    with model.edit("words", lambda number: delta, torch.add):
        moved = model(**batch).logits
    torch.testing.assert_close(moved, model(**batch).logits)
    moved[:, 0].sum().backward()
    assert (delta.grad.flatten(2).norm(dim=2)[batch["attention_mask"].bool()] > 0).all()


REACHING = {"hidden_cut": "HiddenCut", "span_cutoff": "Span Cutoff"}


@pytest.mark.parametrize("name", REACHING)
def test_a_method_that_needs_the_layers_of_an_unknown_type_refuses_by_name(folders, name):
    model, batch = load(folders("distilbert"), None), batch_of("distilbert")
    method = methods.build(name)
    with pytest.raises(MaskTuneError, match=f"{REACHING[name]}.*not for 'distilbert'") as error:
        list(method.terms(model, {**batch, "labels": torch.tensor([0, 1, 0])}, Streams(0)))
    assert "did you mean" not in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(MaskTuneError, match="MASKER.*not for 'distilbert'"):
        model.attention(batch)


def test_an_unknown_decoder_refuses_moved_words(folders):
    model = load(folders("mbart"), None)
    with (
        pytest.raises(MaskTuneError, match="FreeLB, a soft fill.*not for 'mbart'"),
        model.edit("words", int, torch.add),
    ):
        pass


@pytest.mark.proof
@pytest.mark.parametrize("name", ["mask_tuning", "mask_tuning+free_lb"])
def test_every_type_is_trained(tmp_path, folder, model_type, name):
    if model_type == "mbart" and name != "mask_tuning":
        pytest.skip("refused, as is tested above")
    tokenizer = tokenizer_of(model_type)
    data = Dataset.from_dict({**tokenizer(TEXTS * 4), "labels": [0, 1, 0] * 4})
    classifier = AutoModelForSequenceClassification.from_pretrained(folder)
    before = {name: value.clone() for name, value in classifier.named_parameters()}
    args = TrainingArguments(
        tmp_path, max_steps=3, learning_rate=1e-2, report_to=[], use_cpu=True, disable_tqdm=True, save_strategy="no"
    )
    method = methods.build(name, mask_rate=0.5)
    trainer = MaskTuningTrainer(
        classifier, args, method=method, train_dataset=data, eval_dataset=data, processing_class=tokenizer
    )
    head = {name: value.clone() for name, value in trainer.model.mlm_head.named_parameters()}
    trainer.train()
    assert all(
        not torch.equal(value, before[name])
        for name, value in classifier.named_parameters()
        if value.grad is not None and value.grad.abs().max() > 1e-6
    )
    assert any(not torch.equal(value, head[name]) for name, value in trainer.model.mlm_head.named_parameters())
    assert trainer.evaluate()["eval_loss"] < 5
    trainer.save_model(tmp_path / "saved")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "saved").eval()
    batch = batch_of(model_type)
    torch.testing.assert_close(plain(**batch).logits, trainer.model.eval()(**batch).logits, rtol=1e-4, atol=1e-5)


# ---- what has no masked language model


@pytest.mark.parametrize(
    ("model_type", "settings"),
    [
        ("gpt2", {"n_layer": 1, "n_embd": 8, "n_head": 1}),
        ("llama", {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}),
        ("xlnet", {"d_model": 8, "n_layer": 1, "n_head": 1, "d_inner": 8}),
    ],
)
def test_a_type_without_masked_language_model_says_so_and_guesses_at_nothing(tmp_path, model_type, settings):
    config = AutoConfig.for_model(model_type, vocab_size=8, pad_token_id=0, **settings)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match=f"'{model_type}', which has no masked-LM head.*choose") as error:
        load(tmp_path)
    assert "did you mean" not in str(error.value) and "\n" not in str(error.value)
    assert load(tmp_path, None).mlm_head is None


def test_a_discriminator_of_electra_says_where_a_head_is(tmp_path):
    config = AutoConfig.for_model("electra", vocab_size=45, pad_token_id=1, **CONFIGS["electra"])
    ElectraForPreTraining(config).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match=r"no trained masked-LM head.*its generator has one; masktune\.adapt\("):
        load_masked_lm(tmp_path)


def test_an_encoder_alone_is_shown_the_way_on(tmp_path, folder, model_type):
    if model_type in ("bart", "mbart"):
        pytest.skip("its head is its embeddings")
    AutoModel.from_pretrained(folder).save_pretrained(tmp_path)
    with pytest.raises(MaskTuneError, match=r"no trained masked-LM head.*masktune\.adapt\(checkpoint, texts, folder\)"):
        load(tmp_path)


@pytest.mark.parametrize("model_type", ["deberta", "deberta-v2"])
@pytest.mark.parametrize("discriminator", [False, True])
def test_the_head_of_debertas_authors_is_found_unless_it_belongs_to_a_discriminator(
    tmp_path, model_type, discriminator
):
    """Their checkpoints name it `lm_predictions`; transformers reads it with legacy=False, which they do not say."""
    reference = masked_language_model(model_type, legacy=False)
    reference.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config.pop("legacy")
    (tmp_path / "config.json").write_text(json.dumps(config))
    if discriminator:
        rewrite(tmp_path, lambda weights: {**weights, "mask_predictions.dense.weight": torch.ones(2)})
        with pytest.raises(MaskTuneError, match="no trained masked-LM head"):
            load(tmp_path)
        return
    batch = batch_of(model_type)
    given, others = asked(batch)
    model = load(tmp_path)
    torch.testing.assert_close(model.mlm_logits(*given, **others), logits_of_transformers(reference, batch))
    model.classifier.resize_token_embeddings(50)
    model.classifier.save_pretrained(tmp_path / "resized")
    with pytest.raises(MaskTuneError, match="cannot be given 50 tokens instead of 45"):
        MaskTuningModel.from_classifier(model.classifier, checkpoint=tmp_path)


def test_two_types_cannot_share_an_encoder(folders, tmp_path):
    shutil.copytree(folders("roberta"), tmp_path / "roberta")
    classifier = AutoModelForSequenceClassification.from_pretrained(folders("bert"))
    with pytest.raises(MaskTuneError, match="BertModel.*RobertaModel: they cannot share it"):
        MaskTuningModel.from_classifier(classifier, checkpoint=tmp_path / "roberta")
    model = MaskTuningModel.from_classifier(classifier, "separate", checkpoint=tmp_path / "roberta")
    assert type(model.mlm_encoder).__name__ == "RobertaModel"
