import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from synthetic_study import METHODS, make, with_failures

from masktune.analysis import claims, formatting, results
from masktune.analysis.claims import verdicts
from masktune.analysis.table import html, latex, markdown
from masktune.analysis.table import write as write_table

CLAIMED = {
    "claim": 1, "test": "superiority", "task": "paraphrase", "model": "bert", "set": "heuristics", "margin": np.nan,
    "method": "Mask-tuning", "against": "fine-tuning", "seeds": 10, "verdict": verdicts.NOT_REPRODUCED, "reason": "",
}  # fmt: skip
COMPARED = {
    "difference": 1.25, "low": -0.5, "high": 3.0, "bound": -1.2, "p": 0.012, "corrected_p": 0.036,
    "probability_greater": 0.7, "examples": 60,
}  # fmt: skip
KEPT = {"claim": 2, "test": "non_inferiority", "set": "validation", "margin": 0.5}
MISSING = {"set": "swaps", "seeds": 0, "verdict": verdicts.NOT_TESTABLE, "reason": "runs missing"}


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


def test_claims_show_what_was_asked_for_and_the_verdict():
    rows = [{**COMPARED, **CLAIMED}, {**COMPARED, **CLAIMED, **KEPT}, {**CLAIMED, **MISSING}]
    frame = pd.DataFrame(rows, columns=claims.numbers.COLUMNS)
    table = claims.tables.claims(frame)
    shown = table.shown.set_index("Set")
    assert shown.columns[3] == "Mask-tuning \u2212 fine-tuning [95 %]"
    assert shown["Asked for"].tolist() == ["> 0", "> \u22120.5 (bound \u22121.2)", "> 0"]
    assert shown.loc["word swaps"].tolist()[3:] == ["\u2013", "> 0", "\u2013", "\u2013", "\u2013", "0", "\u2013",
                                               "not testable here: runs missing"]  # fmt: skip
    assert shown["Corrected p"].tolist()[:2] == ["0.036", "0.036"]
    assert "10 paired seeds, 60 examples a set" in table.caption and "Holm" in table.caption
    for text in (markdown(table), latex(table)):
        assert "nan" not in text


def test_conclusions_count_and_show_the_range():
    row = {
        "claim": 1, "statement": "A is better than B", "test": "superiority", "comparisons": 5, "tested": 5,
        "holds_on": 3, "opposite_on": 1, "seeds": 10, "difference": 1.0, "lowest": -2.0, "highest": 4.0,
        "verdict": verdicts.IN_PART, "reason": "",
    }  # fmt: skip
    unrun = {**row, "tested": 0, "seeds": 0, "difference": float("nan"), "verdict": verdicts.NOT_TESTABLE}
    table = claims.tables.conclusions(pd.DataFrame([row, {**unrun, "reason": "runs missing"}]))
    assert table.shown["Holds on"].tolist() == ["at least 3 of 5, its opposite on 1", "\u2013"]
    assert table.shown.iloc[0, 3] == "+1.0 (\u22122.0 to +4.0)" and table.shown.iloc[1, 3] == "\u2013"
    assert table.shown["Verdict"].tolist() == ["reproduced in part", "not testable here: runs missing"]
    assert "0 to 10 paired seeds where there are most" in table.caption and "no interval" in table.caption


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.25, -0.5, 3.0, True), "+1.2 [\u22120.5, +3.0]"),
        ((-0.04, float("nan"), float("nan"), True), "0.0"),
        ((88.12, 87.0, 89.2), "88.1 [87.0, 89.2]"),
    ],
)
def test_intervals(values, text):
    assert formatting.interval(*values) == text


def test_files(found, tmp_path):
    paths = write_table(found.differences_table, tmp_path)
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
    assert "A\\|B & <c>_50%" in markdown(table)
    assert "A|B \\& <c>\\_50\\%" in latex(table)
    assert "A|B &amp; &lt;c&gt;_50%" in html(table)
    assert "&lt;c&gt;" in html(replace(table, title="<c>", caption="<c>")).partition("<thead>")[0]


def test_html_names_the_rows_and_columns_of_a_table_and_shows_all_of_it(found):
    table = found.differences_table
    soup = BeautifulSoup(html(table), "html.parser")
    assert soup.caption.get_text() == table.title and soup.figcaption.get_text() == table.caption
    assert soup.select_one("[role=region][tabindex='0']")["aria-label"] == table.title
    assert [head.get_text() for head in soup.select("thead th[scope=col]")] == list(table.shown)
    rows = [[cell.get_text() for cell in row.select("th[scope=row], td")] for row in soup.select("tbody tr")]
    assert rows == table.shown.astype(str).to_numpy().tolist()
    assert not soup.select("th:not([scope])")
    assert not BeautifulSoup(html(found.failures_table), "html.parser").table
