"""What the library computes, held against transformers and against code that shares nothing with it."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
import torch
from datasets import Dataset
from tiny_models import WORDS, word_tokenizer
from transformers import AutoTokenizer, DataCollatorWithPadding, Trainer

from benchmarks.agreement import __main__ as command
from benchmarks.agreement import fine_tuning, masking, scores, tables
from masktune.data import encode
from masktune.data.tasks import EvaluationSet, TaskData
from masktune.errors import MaskTuneError
from masktune.models.spec import ModelSpec
from masktune.study.design.cells import Cell, Training, build_method
from masktune.study.paths import PROJECT, studies
from masktune.study.run import record, training

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parents[2] / "golden"


def texts(count):
    chooser = random.Random(0)
    return [" ".join(chooser.choices(WORDS, k=chooser.randint(3, 20))) for _ in range(count)]


@pytest.fixture
def inputs(checkpoints):
    """36 examples of words, the last batch of an epoch being short."""
    names = [str(number) for number in range(36)]
    columns = {"text": texts(36), "label": [number % 2 for number in range(36)]}
    rows = Dataset.from_dict({**columns, "example_id": names, "cluster_id": names, "group": [""] * 36})
    part = EvaluationSet("validation", "in_distribution", rows, ("negative", "positive"), 32, None)
    task = TaskData("sentiment", ("negative", "positive"), False, rows, (part,), {"train": "digest"})
    checkpoint = str(checkpoints["bert"])
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    encoded = encode.encode(rows, tokenizer, 32)
    chosen = Training(epochs=2, batch_size=8, learning_rate=1e-3, precision="fp32")
    model = ModelSpec("bert", checkpoint)
    cell = Cell("small", "any", "embedded", "sentiment", model, "fine_tuning", training=chosen)
    method, examples = build_method(cell.method, cell.options), record.describe_examples([part])
    seconds = {"load": 1.0, "tokenise": 1.0, "prepare": 1.0}
    made = (cell, method, task, checkpoint, tokenizer, encoded, encoded, encoded, examples, seconds)
    return training.CellInputs(*made)


@pytest.mark.parametrize("sampling", ["group_by_length", "random"])
def test_a_stock_trainer_from_our_head_in_our_order_ends_with_our_weights_to_the_bit(inputs, sampling):
    chosen = replace(inputs.cell.training, sampling=sampling)
    row = fine_tuning.same_start(replace(inputs, cell=replace(inputs.cell, training=chosen)), 3)
    assert row["same_weights"] and row["largest_difference"] == 0 and row["steps"] == 5 and row["spread"] > 0.01


@pytest.mark.parametrize("sampling", ["group_by_length", "random"])
def test_answers_of_a_stock_trainer_meet_their_own_labels_in_whatever_order_it_reads(inputs, sampling, tmp_path):
    cell = replace(inputs.cell, training=replace(inputs.cell.training, sampling=sampling))
    [part] = inputs.task.evaluation
    model = fine_tuning.load(inputs).eval()
    encoded = (inputs.tokenizer(text, return_tensors="pt") for text in part.examples["text"])
    with torch.no_grad():
        leads = torch.stack([model(**row).logits[0] @ torch.tensor([-1.0, 1.0]) for row in encoded])
        model.classifier.bias[1] -= leads.median()
    labels = (leads > leads.median()).long().tolist()
    rows = part.examples.remove_columns("label").add_column("label", labels)
    trainer = Trainer(
        model=model,
        args=fine_tuning.arguments(cell, str(tmp_path), "fp32"),
        data_collator=DataCollatorWithPadding(inputs.tokenizer),
        processing_class=inputs.tokenizer,
    )
    assert 0 < sum(labels) < len(labels) and fine_tuning.answers(trainer, inputs, replace(part, examples=rows)).all()
    wrong = rows.remove_columns("label").add_column("label", [1 - label for label in labels])
    assert not fine_tuning.answers(trainer, inputs, replace(part, examples=wrong)).any()


def test_another_learning_rate_is_seen(inputs, monkeypatch):
    given = fine_tuning.arguments
    monkeypatch.setattr(
        fine_tuning, "arguments", lambda cell, *rest, **own: given(cell, *rest, **{**own, "learning_rate": 1.1e-3})
    )
    row = fine_tuning.same_start(inputs, 3)
    assert not row["same_weights"] and row["largest_difference"] > 0


def test_both_trainers_take_as_many_steps_and_answer_the_same_sets(inputs):
    rows = [row for trainer in (fine_tuning.OURS, fine_tuning.STOCK) for row in fine_tuning.run(inputs, trainer, 0)]
    assert [row["trainer"] for row in rows] == [fine_tuning.OURS, fine_tuning.STOCK]
    shared = (
        "study",
        "model",
        "task",
        "train_examples",
        "seed",
        "set",
        "kind",
        "examples",
        "steps",
        "device",
        "precision",
    )
    assert {name: rows[0][name] for name in shared} == {name: rows[1][name] for name in shared}
    assert rows[0]["steps"] == 10 and all(0 <= row["accuracy"] <= 100 for row in rows)


def test_a_run_is_measured_once_and_replaced_where_it_is_measured_again(inputs):
    row = {
        "study": "s",
        "model": "m",
        "task": "t",
        "train_examples": 9,
        "trainer": "ours",
        "seed": 1,
        "set": "v",
        "accuracy": 50.0,
    }
    rows = fine_tuning.add(pandas.DataFrame(), [row])
    rows = fine_tuning.add(rows, [{**row, "seed": 0}])
    rows = fine_tuning.add(rows, [{**row, "accuracy": 60.0}])
    assert rows[["seed", "accuracy"]].to_numpy().tolist() == [[0, 50.0], [1, 60.0]]


def test_the_difference_of_the_trainers_is_that_of_their_means_with_welchs_interval():
    ours, stock = [80.0, 82.0, 81.0], [79.0, 83.0, 84.0]
    rows = [
        {"study": "laptop", "model": "bert", "task": "sentiment", "train_examples": 9, "set": "sst2_validation",
         "trainer": trainer, "seed": seed, "accuracy": value, "examples": 872, "steps": 10, "device": "cpu",
         "precision": "fp32"}
        for trainer, values in ((fine_tuning.OURS, ours), (fine_tuning.STOCK, stock))
        for seed, value in enumerate(values)
    ]  # fmt: skip
    table = tables.fine_tuning(pandas.DataFrame(rows))
    [row] = table.frame.to_dict("records")
    # Welch by hand: variances 1 and 7 over 3 seeds each.
    half = 3.4952 * (1 / 3 + 7 / 3) ** 0.5  # t at 0.975 with (8/3)^2 / ((1/3)^2 / 2 + (7/3)^2 / 2) = 2.56 degrees
    assert row["difference"] == pytest.approx(-1) and row["high"] - row["low"] == pytest.approx(2 * half, rel=0.01)
    assert "1 of 1 intervals hold 0" in table.caption and "SST-2 validation" in table.shown.to_string()


@pytest.fixture
def counted():
    return pandas.DataFrame(
        masking.count(word_tokenizer("bert"), word_tokenizer("bert")(texts(200))["input_ids"], 20000)
    )


def test_both_maskings_choose_the_tokens_and_symbols_that_are_expected(counted):
    frame = tables.masking(counted).frame
    assert (frame["expected"] >= frame["low"] - 0.01).all() and (frame["expected"] <= frame["high"] + 0.01).all()
    special = frame[frame["share"] == "special tokens and padding that are chosen"]
    assert (special["hits"] == 0).all() and (special["trials"] > 2000).all()
    drawn = frame[frame["share"] == "of the other ones, special tokens"].set_index(["side", "mask_rate"])["hits"]
    assert drawn[fine_tuning.OURS, 0.15] == 0 < drawn[masking.COLLATOR, 0.15]


def test_texts_without_ordinary_tokens_are_refused():
    with pytest.raises(MaskTuneError, match="none of the 2 texts"):
        masking.count(word_tokenizer("bert"), [[0, 2], [0, 3, 2]])


def test_scores_computed_again_are_those_of_the_tables(tmp_path):
    shutil.copy(GOLDEN / "runs.parquet", tmp_path)
    (tmp_path / "predictions").mkdir()
    shutil.copy(GOLDEN / "predictions.parquet", path := tmp_path / "predictions" / "00.parquet")
    shutil.copytree(GOLDEN / "tables", tmp_path / "tables")
    both = scores.compare(tmp_path)
    assert both["measure"].value_counts().to_dict() == {scores.GROUP: 12, scores.CONSISTENCY: 4}
    assert both["difference"].abs().max() < 1e-3
    rows = scores.summarise("golden", both)
    assert sum(row["numbers"] for row in rows) == 16 and all(row["missing"] == 0 for row in rows)
    answers = pandas.read_parquet(path)
    answers.assign(prediction=1 - answers["prediction"]).to_parquet(path)
    assert scores.compare(tmp_path)["difference"].abs().max() > 1


@pytest.mark.parametrize("study", studies())
def test_scores_of_the_committed_studies_computed_again_are_those_of_their_tables(study):
    folder = PROJECT / "results" / study
    if not (folder / "tables" / "details.csv").is_file():
        pytest.skip("nothing is stored of it")
    both = scores.compare(folder)
    assert both["difference"].notna().all() and (both["difference"].abs() < 1e-3).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--study", "embeded"], "no study 'embeded'"),
        (["--model", "berta"], "unknown model 'berta'"),
        (["--task", "sentimental"], "unknown task of bert 'sentimental'"),
        (["--seeds", "0"], "at least 1"),
        (["--train-examples", "0"], "train_examples"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, tmp_path, capsys):
    assert command.main(["--only", "fine_tuning", "--output", str(tmp_path), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


@pytest.mark.parametrize(("study", "model", "epochs"), [("collapse", "adapted-0", 3), ("embedded", "bert", 10)])
def test_the_longest_fine_tuning_of_a_study_is_held_against_a_stock_one(study, model, epochs):
    cell = command._cell(command._parser().parse_args(["--study", study]), [4, 5])
    assert (cell.method, cell.model.name, cell.training.epochs, cell.seeds) == ("fine_tuning", model, epochs, (4, 5))


def test_the_command_measures_and_lays_out(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr(fine_tuning, "prepare", lambda cell: inputs)
    arguments = ["--seeds", "2", "--output", str(tmp_path), "--only", "fine_tuning"]
    assert command.main([*arguments, "--only", "tables"]) == 0
    kept = (tmp_path / command.RUNS).read_bytes()
    assert len(pandas.read_csv(tmp_path / command.RUNS)) == 4
    assert "Fine-tuning by masktune" in (tmp_path / "fine_tuning.md").read_text()
    monkeypatch.setattr(fine_tuning, "run", lambda *unused: pytest.fail("it was measured before"))
    monkeypatch.setattr(command, "_cell", lambda options, seeds: inputs.cell)
    assert command.main(arguments) == 0 and (tmp_path / command.RUNS).read_bytes() == kept
