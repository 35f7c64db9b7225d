"""Fine-tuning beside published numbers."""

import pytest
from study.conftest import TABLE
from synthetic_study import make

from masktune.analysis import published, results
from masktune.analysis.answers import blocks
from masktune.errors import MaskTuneError
from masktune.study.design.load import parse_study

GIVEN = {"of": "test sets of GLUE: Turc et al. 2019", "validation": 83.2}


def study_of(given, **changes):
    model = {"checkpoint": "embedded:bert", **({} if given is None else {"published": given})}
    return parse_study({**TABLE, "models": {"bert": model}, **changes})


def test_a_row_for_each_set_with_the_difference_and_what_differs(gathered):
    runs, predictions = gathered
    digests = '{"glue/mnli/train_subset": "d", "hans/validation": "d"}'
    runs = runs.assign(digests=[digests if task == "inference" else "{}" for task in runs["task"]])
    frame = published.numbers.beside_published(study_of(GIVEN), blocks(runs, predictions), runs)
    assert frame["task"].tolist() == ["sentiment", "inference", "paraphrase"]
    first, second, _ = frame.to_dict("records")
    own = runs[(runs["task"] == "sentiment") & (runs["label"] == "fine-tuning")]
    of_runs = predictions[predictions["run_id"].isin(own["run_id"]) & (predictions["set"] == "validation")]
    mean = 100 * (of_runs["label"] == of_runs["prediction"]).mean()
    assert first["accuracy"] == pytest.approx(mean) and first["difference"] == pytest.approx(mean - 83.2)
    assert "32,069 of 392,702 rows of MNLI" in second["differs"] and "rows of" not in first["differs"]
    assert "validation set, not test" in first["differs"] and "2 epochs at 0.002" in first["differs"]
    table = published.tables.beside_published(frame)
    assert "Turc et al. 2019" in table.caption and len(table.shown) == 3


def test_a_study_has_the_table_only_where_it_declares_what_was_published(gathered):
    assert "published" in [table.name for table in results.of(*gathered, study_of(GIVEN)).tables]
    assert "published" not in [table.name for table in results.of(*gathered, study_of(None)).tables]
    assert published.numbers.beside_published(study_of(GIVEN), [], make(seeds=1)[0]).empty


def test_what_was_published_is_no_part_of_a_runs_identity():
    assert [cell.id for cell in study_of(GIVEN).cells] == [cell.id for cell in study_of(None).cells]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (83.2, "a table { of"),
        ({"validation": 83.2}, "published of"),
        ({"of": " ", "validation": 83.2}, "published of"),
        ({"of": "who"}, "at least one of validation"),
        ({"of": "who", "validaton": 83.2}, "did you mean 'validation'"),
        ({"of": "who", "contrast": 83.2}, "unknown set in distribution 'contrast'"),
        ({"of": "who", "validation": "83"}, "a number"),
        ({"of": "who", "validation": 0}, "an accuracy in per cent"),
        ({"of": "who", "validation": 100.5}, "an accuracy in per cent"),
    ],
)
def test_nonsense_is_refused_in_a_line(given, message):
    with pytest.raises(MaskTuneError, match=message) as error:
        study_of(given)
    assert "[models.bert] published" in str(error.value)
