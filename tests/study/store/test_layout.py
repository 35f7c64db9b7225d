"""The file of predictions: rounded logits say the same of every answer, in few bytes."""

import numpy
import pyarrow
import pyarrow.parquet
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from masktune.study.store import layout, stored

EXAMPLES = 2000


def answers(classes, scale=1.0, number=0):
    """The predictions of a run by a model that knows something: logits [EXAMPLES, classes] and labels, all drawn."""
    draw = numpy.random.default_rng(number)
    labels = draw.integers(0, classes, EXAMPLES)
    logits = scale * (draw.normal(size=(EXAMPLES, classes)) + numpy.eye(classes)[labels])
    names = {name: ["ab" if name == "set" else str(i) for i in range(EXAMPLES)] for name in layout.NAMES}
    names["run_id"] = [f"run{number}"] * EXAMPLES
    numbers = {"label": labels, "prediction": logits.argmax(-1), "logits": list(logits.astype(numpy.float32))}
    return pyarrow.table({**names, **numbers}).select(layout.schema().names).cast(layout.schema())


def numbers(table):
    return numpy.array(table["logits"].to_pylist())


@pytest.mark.parametrize("scale", [1e-6, 0.01, 1.0, 40.0])
@pytest.mark.parametrize("classes", [2, 3])
def test_rounded_logits_say_the_same_of_every_answer(classes, scale):
    table = answers(classes, scale)
    before, after = numbers(table), numbers(rounded := layout.round_logits(table))
    assert (after[:, 0] == 0).all()
    # whether class 0 wins: exactly, and that is all that a set of two answers asks of a model of three classes
    assert ((before[:, 1:] > before[:, :1]) == (after[:, 1:] > 0)).all()
    spread = (before - before[:, :1])[:, 1:].std()
    assert abs(before - before[:, :1] - after).max() <= spread / layout.STEPS / 2 + 1e-6 * spread
    assert abs(softmax(before, -1) - softmax(after, -1)).max() < max(0.02, spread / layout.STEPS / 4)
    labels = numpy.array(table["label"]) > 0
    scores = [logits[:, 1:].max(-1) - logits[:, 0] for logits in (before, after)]
    assert roc_auc_score(labels, scores[1]) == pytest.approx(roc_auc_score(labels, scores[0]), abs=0.002)
    stored.check_result(rounded["logits"], [])
    assert rounded.drop_columns("logits") == table.drop_columns("logits")


def test_differences_that_are_all_the_same_stay_as_they_are():
    table = answers(2)
    logits = [[float(number), number + 0.5] for number in range(EXAMPLES)]
    place = table.schema.get_field_index("logits")
    table = table.set_column(place, table.schema.field(place), pyarrow.array(logits, table.schema.field(place).type))
    assert (numbers(layout.round_logits(table)) == [0.0, 0.5]).all()


@pytest.mark.parametrize("rounded", [False, True])
def test_what_is_written_is_read_back_and_ids_that_repeat_cost_little(tmp_path, rounded):
    runs = [answers(3, number=number) for number in range(8)]
    runs = [layout.round_logits(run) for run in runs] if rounded else runs
    for count in (1, 8):
        (tmp_path / str(count)).mkdir()
        with layout.writing(tmp_path / str(count), rounded) as writer:
            for run in runs[:count]:
                writer.add("inference", run)
    path = tmp_path / "8"
    assert pyarrow.parquet.read_table(path).combine_chunks() == pyarrow.concat_tables(runs).combine_chunks()
    sizes = {count: ids(tmp_path / str(count) / "00.parquet") for count in (1, 8)}
    assert sizes[8] < 2 * sizes[1]


def ids(path):
    """The bytes that example_id takes in a file."""
    group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    columns = (group.column(number) for number in range(group.num_columns))
    return next(column.total_compressed_size for column in columns if column.path_in_schema == "example_id")


def test_a_row_group_holds_runs_of_one_task(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "RUNS_OF_A_ROW_GROUP", 2)
    with layout.writing(tmp_path, rounded=False) as writer:
        for number, task in enumerate(("sentiment", "sentiment", "sentiment", "inference", "inference")):
            writer.add(task, answers(2, number=number))
    metadata = pyarrow.parquet.ParquetFile(tmp_path / "00.parquet").metadata
    assert [metadata.row_group(each).num_rows // EXAMPLES for each in range(metadata.num_row_groups)] == [2, 1, 2]


@pytest.mark.parametrize("runs_of_a_file", [1, 2, 5, 8])
def test_no_file_holds_more_rows_than_one_may_and_all_of_them_hold_every_run_in_order(
    tmp_path, monkeypatch, runs_of_a_file
):
    monkeypatch.setattr(layout, "ROWS_OF_A_FILE", runs_of_a_file * EXAMPLES + EXAMPLES // 2)
    runs = [answers(2, number=number) for number in range(5)]
    with layout.writing(tmp_path, rounded=False) as writer:
        for number, run in enumerate(runs):
            writer.add(("sentiment", "inference")[number // 3], run)
    files = layout.files(tmp_path)
    assert [pyarrow.parquet.ParquetFile(file).metadata.num_rows // EXAMPLES for file in files] == [
        len(range(5)[start : start + runs_of_a_file]) for start in range(0, 5, runs_of_a_file)
    ]
    assert pyarrow.parquet.read_table(tmp_path).combine_chunks() == pyarrow.concat_tables(runs).combine_chunks()


def test_a_run_that_is_larger_than_a_file_may_be_has_one_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "ROWS_OF_A_FILE", EXAMPLES // 2)
    with layout.writing(tmp_path, rounded=False) as writer:
        writer.add("sentiment", answers(2))
        writer.add("sentiment", answers(2, number=1))
    assert [pyarrow.parquet.ParquetFile(file).metadata.num_rows for file in layout.files(tmp_path)] == [EXAMPLES] * 2
