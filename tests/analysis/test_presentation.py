import io

import pandas as pd
import pytest
from synthetic_study import METHODS, make, with_failures

from masktune.analysis import presentation, results


@pytest.fixture(scope="module")
def found(gathered):
    return results.of(*gathered)


def test_captions_say_n_what_varies_and_which_interval(found):
    for table in (found.main_table, found.differences_table, found.details_table):
        assert "6 " in table.caption and "seed" in table.caption and "95 %" in table.caption
        assert "Seeds vary the initialisation of the head" in table.caption
    assert "60 examples a set" in found.main_table.caption
    assert "95 % t interval over paired seeds x clusters" in found.differences_table.caption


def test_few_seeds_are_said():
    few = results.of(*make(tasks=("paraphrase",), seeds=5, examples=20))
    assert "5 seeds: the sign-flip test cannot go below 0.0625" in few.differences_table.caption
    assert set(few.differences_table.shown["p"]) == {"(\u2265 0.0625)"}


def test_a_method_is_a_column(found):
    shown = found.main_table.shown
    assert list(shown)[-4:] == ["fine-tuning", "Mask-tuning", "Constant", "Examples"]
    assert len(shown) == 8


def test_fewer_seeds_show_in_the_cell():
    lost = results.of(*with_failures(*make(tasks=("paraphrase",), examples=20)))
    assert lost.main_table.shown["Mask-tuning"].str.endswith("(4 of 6 seeds)").all()
    assert "2 of 12 runs failed or are missing" in lost.failures_table.caption
    assert set(lost.failures_table.shown["Status"]) == {"failed", "missing"}


def test_no_failure_is_said_too(found):
    assert found.failures_table.caption.startswith("No run failed and none is missing: 36 of 36")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.25, -0.5, 3.0, True), "+1.2 [\u22120.5, +3.0]"),
        ((-0.04, float("nan"), float("nan"), True), "0.0"),
        ((88.12, 87.0, 89.2), "88.1 [87.0, 89.2]"),
    ],
)
def test_intervals(values, text):
    assert presentation.interval(*values) == text


def test_files(found, tmp_path):
    paths = presentation.write(found.differences_table, tmp_path)
    assert [path.name for path in paths] == ["differences.csv", "differences.md", "differences.tex"]
    csv, markdown, latex = (path.read_text(encoding="utf-8") for path in paths)
    again = pd.read_csv(io.StringIO(csv))
    assert list(again) == list(found.differences)
    assert again["difference"].tolist() == pytest.approx(found.differences["difference"].tolist(), abs=1e-4)
    assert markdown.count("\n| Sentiment |") == 3 and found.differences_table.caption in markdown
    assert "\\toprule" in latex and "95 \\%" in latex and "\u2212" not in latex


def test_special_characters_are_escaped(tmp_path):
    methods = [METHODS[0], ("A|B & <c>_50%", *METHODS[1][1:])]
    table = results.of(*make(tasks=("paraphrase",), examples=20, methods=methods)).main_table
    assert "A\\|B & <c>_50%" in presentation.markdown(table)
    assert "A|B \\& <c>\\_50\\%" in presentation.latex(table)
    assert "A|B &amp; &lt;c&gt;_50%" in presentation.html(table)
