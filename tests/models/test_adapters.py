"""Classifiers in a wrapper of peft: the adapters learn with both heads, and are saved as peft saves them."""

import pytest
import torch
from datasets import Dataset
from tiny_models import word_tokenizer
from transformers import AutoModelForSequenceClassification, TrainingArguments

from masktune import MaskTuneError, MaskTuningModel, MaskTuningTrainer

peft = pytest.importorskip("peft")
pytestmark = pytest.mark.slow

TEXTS = ["word1 word2 word3", "word4 word5 word6 word7 word8", "word9"] * 4
LORA = peft.LoraConfig(task_type=peft.TaskType.SEQ_CLS, r=4, target_modules=["query", "value"])


def classifier_of(checkpoints, family):
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_pretrained(checkpoints[family], num_labels=2)


def trainer_of(checkpoints, family, folder):
    tokenizer = word_tokenizer(family)
    data = Dataset.from_dict({**tokenizer(TEXTS), "labels": [0, 1, 0] * 4})
    args = TrainingArguments(
        folder, max_steps=4, learning_rate=1e-2, report_to=[], use_cpu=True, disable_tqdm=True, save_steps=2
    )
    model = peft.get_peft_model(classifier_of(checkpoints, family), LORA)
    return MaskTuningTrainer(model, args, train_dataset=data, eval_dataset=data, processing_class=tokenizer)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_adapters_and_head_are_trained_saved_and_resumed(tmp_path, checkpoints, family):
    trainer = trainer_of(checkpoints, family, tmp_path)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    moved = {name for name, value in trainer.model.named_parameters() if not torch.equal(value, before[name])}
    assert any("lora" in name for name in moved) and any(name.startswith("mlm_head.") for name in moved)
    assert all(re_trained(name) for name in moved)
    trainer.save_model(tmp_path / "saved")
    names = {path.name for path in (tmp_path / "saved").iterdir()}
    assert {"adapter_model.safetensors", "adapter_config.json", "mlm_head.safetensors"} <= names
    assert "model.safetensors" not in names
    stock = peft.PeftModel.from_pretrained(classifier_of(checkpoints, family), tmp_path / "saved").eval()
    batch = dict(word_tokenizer(family)(TEXTS[:3], padding=True, return_tensors="pt"))
    expected = trainer.model.eval()(**batch).logits
    torch.testing.assert_close(stock(**batch).logits, expected)
    resumed = trainer_of(checkpoints, family, tmp_path / "again")
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    torch.testing.assert_close(resumed.model.eval()(**batch).logits, expected)


def re_trained(name):
    return "lora" in name or "modules_to_save" in name or name.startswith("mlm_head.")


def test_the_language_model_reads_through_the_adapters(checkpoints):
    model = MaskTuningModel.from_classifier(peft.get_peft_model(classifier_of(checkpoints, "bert"), LORA))
    ids = torch.tensor([[0, 5, 44, 6, 2]])
    model.mlm_logits(ids, ids, ids == 44).sum().backward()
    assert any(value.grad is not None for name, value in model.classifier.named_parameters() if "lora_B" in name)
    assert not model.classifier.get_input_embeddings().weight.requires_grad


def test_prompts_and_adapters_of_transformers_are_refused(checkpoints):
    prompt = peft.PromptTuningConfig(task_type=peft.TaskType.SEQ_CLS, num_virtual_tokens=2)
    with pytest.raises(MaskTuneError, match="PROMPT_TUNING puts a prompt before the text"):
        MaskTuningModel.from_classifier(peft.get_peft_model(classifier_of(checkpoints, "bert"), prompt))
    own = classifier_of(checkpoints, "bert")
    own.add_adapter(peft.LoraConfig(target_modules=["query"]))
    with pytest.raises(MaskTuneError, match=r"wrap it with peft\.get_peft_model"):
        MaskTuningModel.from_classifier(own)


def test_a_folder_without_the_adapter_is_one_line(tmp_path, checkpoints):
    model = MaskTuningModel.from_classifier(peft.get_peft_model(classifier_of(checkpoints, "bert"), LORA))
    with pytest.raises(MaskTuneError, match="cannot load the adapter") as error:
        model.load_weights(tmp_path / "nowhere")
    assert "\n" not in str(error.value)
