import pytest

from masktune.analysis.report.contents import Section
from masktune.site import studies

STORED = """### The declared claims

| Claim | Statement | Models | Difference [95 %] | Verdict |
| --- | --- | --- | --- | --- |
| 1 | A is better \\| worse | BERT | −1 [−2, 0] | not reproduced |
| 2 | B is |  |  |  |

What it rests on.
"""


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path / "results"))
    for kind in ("figures", "tables"):
        (tmp_path / "results" / "embedded" / kind).mkdir(parents=True)
    (tmp_path / "results" / "embedded" / "tables" / "claims_page.md").write_text(STORED)
    (tmp_path / "results" / "embedded" / "figures" / "main.svg").write_text('<svg fill="#ffffff"/>')
    (tmp_path / "results" / "embedded" / "figures" / "main.png").write_bytes(b"png")


def test_a_study_without_results_has_no_claims_to_show(results):
    text = studies.claims(["embedded", "paper"])
    assert "## The embedded world\n" in text and text.count("\n## ") == 1


def test_what_a_claim_says_and_what_became_of_it_come_first(results):
    text = studies.claims(["embedded"])
    assert "| Statement | Verdict | Difference [95 %] | Claim | Models |\n| --- |" in text
    assert "| A is better \\| worse | not reproduced | −1 [−2, 0] | 1 | BERT |\n" in text
    assert "| B is |  |  | 2 |  |\n\nWhat it rests on.\n" in text


def test_claims_without_runs_are_words_alone(results, tmp_path):
    (tmp_path / "results" / "embedded" / "tables" / "claims_page.md").write_text("### Claims\n\nNone has run.\n")
    assert studies.claims(["embedded"]).endswith("embedded/index.html).\n\nNone has run.\n")


def test_the_page_of_a_study_has_its_sections_figures_and_files(results, monkeypatch, places, files):
    picture = '<img src="figures/main.svg" alt="7 points &lt; 8">'
    sections = [
        Section("A & B", f'{picture}<a href="deviations.html">log</a>', level=1),
        Section("Table", "<table></table>", name="t"),
    ]
    monkeypatch.setattr(studies.contents, "sections", lambda study: sections)
    (places.root / "studies" / "deviations.md").write_text("# Log\n")
    text = studies.page("embedded", "results/embedded/index", places, files)
    assert text.startswith("# A &amp; B\n\n````{raw} html\n")
    assert 'class="only-dark" src="figures/main-dark.svg" alt="7 points &lt; 8"' in text
    assert 'href="../../source/studies/deviations.md.html"' in text
    assert '## Table\n\n````{raw} html\n<span id="table-t"></span>\n<table></table>\n````\n' in text
    assert files.says == {"results/embedded/figures/main": "7 points < 8"}
    made = {path.relative_to(files.target).as_posix() for path in files.target.rglob("*.*")}
    assert made == {f"results/embedded/{name}" for name in (
        "figures/main.svg", "figures/main-dark.svg", "figures/main.png", "tables/claims_page.md",
    )}  # fmt: skip
