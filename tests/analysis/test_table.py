import io
from dataclasses import replace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from synthetic_study import METHODS, make

from masktune.analysis import results
from masktune.analysis.table import html, latex, markdown
from masktune.analysis.table import write as write_table


@pytest.fixture(scope="module")
def found(gathered):
    return results.of(*gathered)


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
