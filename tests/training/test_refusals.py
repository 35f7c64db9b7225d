import dataclasses

import pytest
from datasets import Dataset
from tiny_runs import METHOD, classifier
from transformers import AutoTokenizer, TrainingArguments

from masktune import MaskTuneError, MaskTuningModel, MaskTuningTrainer


def test_a_tokenizer_is_needed(checkpoints, tmp_path):
    with pytest.raises(MaskTuneError, match="processing_class=None"):
        MaskTuningTrainer(
            model=classifier(checkpoints["bert"]), args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
        )


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
