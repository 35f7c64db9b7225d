import dataclasses

import pytest
import torch
from datasets import Dataset
from tiny_runs import METHOD, classifier
from torch import nn
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    TrainingArguments,
)

from masktune import MaskTuneError, MaskTuningModel, MaskTuningTrainer


def test_a_tokenizer_is_needed(checkpoints, tmp_path):
    with pytest.raises(MaskTuneError, match="processing_class=None"):
        MaskTuningTrainer(
            model=classifier(checkpoints["bert"]), args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
        )


class Own(nn.Module):
    """A classifier as scripts write it without transformers' base class."""

    def __init__(self, checkpoint):
        super().__init__()
        self.bert = AutoModel.from_pretrained(checkpoint)
        self.head = nn.Linear(16, 2)


def compiled_in_place(checkpoint):
    model = classifier(checkpoint)
    model.compile()
    return model


NO_CLASSIFIERS = {
    "compiled": (lambda folder: torch.compile(classifier(folder)), "is compiled.*torch_compile=True"),
    "compiled in place": (compiled_in_place, "is compiled.*torch_compile=True"),
    "both heads, compiled": (
        lambda folder: torch.compile(MaskTuningModel.from_pretrained(folder, ("0", "1"), seed=0)),
        "is compiled.*torch_compile=True",
    ),
    "DataParallel": (lambda folder: nn.DataParallel(classifier(folder)), "wrapper DataParallel; .*model.module"),
    "a module": (Own, "a Own, an nn.Module and no classifier.*pass an AutoModelForSequenceClassification"),
    "a name": (str, "which is no torch module; pass an AutoModelForSequenceClassification"),
    "a class": (lambda folder: AutoModelForSequenceClassification, "AutoModelForSequenceClassification, a class; pass"),
    "without a head": (AutoModel.from_pretrained, "a BertModel, which does not classify texts; pass"),
    "for masked tokens": (AutoModelForMaskedLM.from_pretrained, "a BertForMaskedLM, which does not classify texts"),
    "for tokens": (AutoModelForTokenClassification.from_pretrained, "a BertForTokenClassification, which does not"),
}


@pytest.mark.parametrize("kind", NO_CLASSIFIERS)
def test_what_no_head_can_be_attached_to_is_refused_with_what_to_pass_instead(checkpoints, tmp_path, kind):
    make, message = NO_CLASSIFIERS[kind]
    args = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
    tokenizer = AutoTokenizer.from_pretrained(checkpoints["bert"])
    for take in (
        MaskTuningModel.from_classifier,
        lambda model: MaskTuningTrainer(model, args, processing_class=tokenizer),
        lambda model: MaskTuningTrainer(model, args, processing_class=tokenizer, method="fine_tuning"),
    ):
        with pytest.raises(MaskTuneError, match=message) as error:
            take(make(checkpoints["bert"]))
        assert "\n" not in str(error.value)


def test_a_model_whose_language_model_does_not_fit_the_method_is_refused(checkpoints, tmp_path):
    model = MaskTuningModel.from_pretrained(checkpoints["bert"], ("0", "1"), seed=0)
    with pytest.raises(MaskTuneError, match="'separate', not 'shared'"):
        MaskTuningTrainer(
            model=model,
            args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"),
            method=dataclasses.replace(METHOD, encoder="separate"),
            processing_class=AutoTokenizer.from_pretrained(checkpoints["bert"]),
        )


@pytest.mark.parametrize("label", [2, -1, None, 0.5])
def test_a_label_outside_its_range_is_quoted_with_its_row(checkpoints, tmp_path, data, label):
    rows = data["bert"].to_dict()
    rows["labels"] = [*rows["labels"][:3], label, *rows["labels"][4:]]
    if label == 0.5:
        rows["labels"] = [float(value) for value in rows["labels"]]
    with pytest.raises(MaskTuneError, match=r"row [03] of the train dataset has the label .*from 0 to 1"):
        trainer_of(checkpoints["bert"], tmp_path, Dataset.from_dict(rows))


def test_a_missing_column_is_named(checkpoints, tmp_path, data):
    with pytest.raises(MaskTuneError, match="has the columns .*expected input_ids, attention_mask and labels"):
        trainer_of(checkpoints["bert"], tmp_path, data["bert"].remove_columns("labels"))


def trainer_of(checkpoint, folder, dataset):
    return MaskTuningTrainer(
        model=classifier(checkpoint),
        args=TrainingArguments(str(folder), use_cpu=True, report_to="none"),
        train_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(checkpoint),
    )
