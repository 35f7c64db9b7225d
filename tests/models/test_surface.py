"""What Trainer, accelerate and users ask of a model: a MaskTuningModel answers like the classifier that it holds."""

import copy
import inspect
import pickle
import re
from functools import partial
from pathlib import Path

import accelerate
import huggingface_hub
import pytest
import torch
import transformers
from datasets import Dataset
from models.conftest import masked
from tiny_models import word_tokenizer
from transformers import AutoModelForSequenceClassification, TrainingArguments

from masktune import MaskTuneError, MaskTuningModel, MaskTuningTrainer, methods
from masktune.streams import Streams

NAMES = ("negative", "positive")
TEXTS = ["word1 word2 word3", "word4 word5 word6 word7 word8", "word9 word2"] * 4

# Answered by MaskTuningModel itself, for both heads.
OWN = {
    "config", "device", "forward", "save_pretrained", "resize_token_embeddings", "num_parameters", "push_to_hub",
    "parameters", "named_parameters", "modules", "named_modules", "state_dict", "load_state_dict", "to", "train",
    "eval", "training", "zero_grad", "children", "named_children", "buffers", "named_buffers", "register_forward_hook",
    "apply", "half", "float", "cuda", "cpu", "requires_grad_", "get_submodule", "accepts_loss_kwargs",
    "register_forward_pre_hook", "register_full_backward_hook", "compile", "_get_name",
}  # fmt: skip
# Asked of models of another kind, in their own branches: adapters, generation, parallel engines.
OTHERS = {
    "active_adapters", "load_adapter", "set_adapter", "peft_config", "get_base_model", "base_model", "generate",
    "get_shard_metadata", "set_requires_all_reduce", "set_requires_gradient_sync", "model", "no_sync", "module",
}  # fmt: skip


@pytest.fixture
def model(checkpoints):
    return MaskTuningModel.from_pretrained(checkpoints["bert"], NAMES, seed=0).eval()


@pytest.fixture
def data(checkpoints):
    return Dataset.from_dict({**word_tokenizer("bert")(TEXTS), "labels": [0, 1, 1] * 4})


def asked_by(file):
    """The attributes that a file of transformers or accelerate reads of a model."""
    text = Path(file).read_text()
    models = r"\b(?:unwrapped_model|model_to_inspect|opt_model|self\.model|model)"
    read = re.findall(models + r"\.([a-zA-Z_]\w*)", text)
    asked = re.findall(r"(?:getattr|hasattr)\(" + models + r',\s*"(\w+)"', text)
    return {name for name in (*read, *asked) if not name.startswith("__")}


def asked():
    files = [
        inspect.getfile(transformers.Trainer),
        inspect.getfile(transformers.integrations.neftune),
        inspect.getfile(transformers.trainer_utils),
        inspect.getfile(accelerate.Accelerator),
    ]
    return sorted(set().union(*map(asked_by, files)) - OWN - OTHERS)


@pytest.mark.parametrize("name", asked())
def test_what_trainer_asks_of_a_model_is_the_classifiers_answer(model, name):
    missing = object()
    expected = getattr(model.classifier, name, missing)
    actual = getattr(model, name, missing)
    assert hasattr(model, name) == hasattr(model.classifier, name)
    assert actual is expected or actual == expected


def test_the_list_above_is_not_empty():
    """And it holds what reports of users name."""
    assert {"dtype", "hf_device_map", "main_input_name", "get_input_embeddings", "_keys_to_ignore_on_save"} <= {
        *asked(), "dtype"
    }  # fmt: skip
    assert len(asked()) > 20


@pytest.mark.parametrize("name", ["dtype", "supports_gradient_checkpointing", "_no_split_modules", "can_generate"])
def test_what_users_ask_is_answered_too(model, name):
    assert getattr(model, name) == getattr(model.classifier, name)


def test_an_attribute_that_nobody_has_is_missed(model):
    with pytest.raises(AttributeError, match="nonsense"):
        _ = model.nonsense


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_shares_nothing_with_the_model_and_all_within_itself(model, checkpoints, copied):
    again = copied(model)
    assert not {id(value) for value in again.parameters()} & {id(value) for value in model.parameters()}
    assert again.mlm_head.base_model is again.classifier.base_model
    words = again.classifier.get_input_embeddings().weight
    assert any(value is words for value in again.mlm_head.parameters())


@pytest.mark.parametrize("encoder", ["shared", "separate"])
def test_gradient_checkpointing_reaches_every_network_and_changes_no_gradient(checkpoints, family, data, encoder):
    batch = dict(word_tokenizer(family)(TEXTS, padding=True, return_tensors="pt"))
    found = []
    for checkpointing in (False, True):
        model = MaskTuningModel.from_pretrained(checkpoints[family], NAMES, seed=0, encoder=encoder).train()
        if checkpointing:
            model.gradient_checkpointing_enable({"use_reentrant": False})
            networks = filter(None, (model.classifier, model.mlm_encoder))
            for network in networks:
                assert any(getattr(module, "gradient_checkpointing", False) for module in network.modules())
        masked_ids, positions = masked(batch, 44)
        others = {name: values for name, values in batch.items() if name != "input_ids"}
        loss = model.mlm_logits(masked_ids, batch["input_ids"], positions, **others).square().sum()
        (loss + model(**batch).logits.square().sum()).backward()
        found.append([value.grad for value in model.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_layers_that_are_computed_again_cannot_be_cut(model, data):
    batch = dict(word_tokenizer("bert")(TEXTS, padding=True, return_tensors="pt"))
    model.train().gradient_checkpointing_enable()
    with pytest.raises(MaskTuneError, match="gradient_checkpointing = True.*HiddenCut"):
        list(methods.build("hidden_cut").terms(model, {**batch, "labels": torch.tensor([0, 1, 1] * 4)}, Streams(0)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"gradient_checkpointing": True},
        {"neftune_noise_alpha": 5.0},
        {"include_num_input_tokens_seen": "all"},
        {"bf16": True},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_trainers_options_of_the_model_work(tmp_path, checkpoints, data, settings):
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    args = TrainingArguments(tmp_path, max_steps=2, report_to=[], use_cpu=True, disable_tqdm=True, **settings)
    trainer = MaskTuningTrainer(classifier, args, train_dataset=data, processing_class=word_tokenizer("bert"))
    trainer.train()
    tokens = (8 + 4) * 7  # two batches, padded to the longest text
    assert trainer.state.total_flos == 6 * tokens * classifier.num_parameters(exclude_embeddings=True)
    if "include_num_input_tokens_seen" in settings:
        assert trainer.state.num_input_tokens_seen > 0


# ---- saving


def test_a_model_in_shards_is_loaded_again(tmp_path, checkpoints, model):
    model.save_pretrained(tmp_path, max_shard_size="5KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    other = MaskTuningModel.from_pretrained(checkpoints["bert"], NAMES, seed=1)
    other.load_weights(tmp_path)
    again = MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=2)
    for loaded in (other, again):
        assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in model.state_dict().items())


def test_a_state_of_the_whole_model_is_what_is_saved(tmp_path, checkpoints, model):
    state = {name: value + 1 for name, value in model.state_dict().items()}
    model.save_pretrained(tmp_path, state_dict=state)
    again = MaskTuningModel.from_pretrained(tmp_path, NAMES, seed=2).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in state.items())


def test_only_the_main_process_writes(tmp_path, model):
    model.save_pretrained(tmp_path, is_main_process=False)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_what_is_pushed_to_the_hub_has_both_heads(tmp_path, monkeypatch, model):
    with pytest.raises(MaskTuneError, match=r"call model\.push_to_hub\(repo_id\)"):
        model.save_pretrained(tmp_path, push_to_hub=True)
    pushed = []
    monkeypatch.setattr(type(model), "_upload_modified_files", lambda self, folder, *given, **named: pushed.extend(
        sorted(path.name for path in Path(folder).iterdir())
    ))  # fmt: skip
    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", lambda self, name, **named: huggingface_hub.RepoUrl(name))
    monkeypatch.setattr(huggingface_hub.ModelCard, "load", lambda *given, **named: huggingface_hub.ModelCard("a card"))
    model.push_to_hub("someone/model")
    assert {"config.json", "model.safetensors", "mlm_head.safetensors"} <= set(pushed)


# ---- where a head is found


def test_what_a_classifier_was_loaded_with_is_passed_on(tmp_path, checkpoints, monkeypatch):
    (tmp_path / "inside").symlink_to(checkpoints["bert"])
    given = {"subfolder": "inside", "cache_dir": str(tmp_path / "cache"), "token": "secret", "trust_remote_code": True}
    given["local_files_only"] = True
    seen = []

    def watched(*args, own, **named):
        seen.append(named)
        return own(*args, **named)

    for kind in (transformers.AutoModelForMaskedLM, AutoModelForSequenceClassification):
        monkeypatch.setattr(kind, "from_pretrained", partial(watched, own=kind.from_pretrained))
    model = MaskTuningModel.from_pretrained(tmp_path, NAMES, 0, **given)
    assert len(seen) == 2 and all(named.items() >= {**given, "revision": "main"}.items() for named in seen)
    seen.clear()
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    again = MaskTuningModel.from_classifier(classifier, checkpoint=tmp_path, **given)
    assert len(seen) == 2 and seen[1].items() >= {**given, "revision": "main"}.items()
    head = again.mlm_head.state_dict()
    assert all(torch.equal(value, head[name]) for name, value in model.mlm_head.state_dict().items())


def test_a_head_of_another_checkpoint_is_not_taken_in_silence(tmp_path, checkpoints, recwarn):
    """transformers forgets the subfolder, so the classifier remembers the checkpoint beside it."""
    above = transformers.AutoModelForMaskedLM.from_pretrained(checkpoints["bert"])
    torch.nn.init.constant_(above.get_input_embeddings().weight, 0.5)
    above.save_pretrained(tmp_path)
    (tmp_path / "inside").symlink_to(checkpoints["bert"])
    classifier = AutoModelForSequenceClassification.from_pretrained(tmp_path, subfolder="inside")
    said = r"not those of .*: unless it was trained since, name .* subfolder="
    with pytest.warns(UserWarning, match=said):
        MaskTuningModel.from_classifier(classifier)
    recwarn.clear()
    MaskTuningModel.from_classifier(classifier, subfolder="inside")
    classifier.resize_token_embeddings(47)
    MaskTuningModel.from_classifier(classifier, subfolder="inside")
    MaskTuningModel.from_classifier(classifier.to(torch.bfloat16), subfolder="inside")
    assert not [one for one in recwarn if re.search(said, str(one.message))]


def test_a_token_stands_in_no_message(tmp_path):
    with pytest.raises(MaskTuneError) as error:
        MaskTuningModel.from_pretrained(tmp_path / "nowhere", NAMES, 0, token="secret", subfolder="inside")
    assert "nowhere/inside" in str(error.value) and "secret" not in str(error.value)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(checkpoints, data, tmp_path):
    tokenizer = word_tokenizer("bert")
    tokenizer.add_tokens(["word40", "word41"])
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    args = TrainingArguments(tmp_path, max_steps=1, report_to=[], use_cpu=True, disable_tqdm=True)
    with pytest.raises(MaskTuneError, match=r"47 tokens, the model embeddings of 45: call model\.resize_token"):
        MaskTuningTrainer(classifier, args, train_dataset=data, processing_class=tokenizer)
    classifier.resize_token_embeddings(len(tokenizer))
    MaskTuningTrainer(classifier, args, train_dataset=data, processing_class=tokenizer).train()


def test_a_classifier_on_several_devices_is_refused(checkpoints):
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoints["bert"])
    classifier.hf_device_map = {"bert.embeddings": 0, "bert.encoder": "cpu"}
    with pytest.raises(MaskTuneError, match="spread over 0, cpu"):
        MaskTuningModel.from_classifier(classifier)
