"""RESULTS.md and what is generated elsewhere: whatever the results are, the words are those of their verdicts."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from analysis.summary.conftest import SETS, save, store

from masktune.__main__ import main
from masktune.analysis import names
from masktune.analysis.claims import verdicts
from masktune.analysis.formatting import MINUS
from masktune.analysis.summary import findings, history, page, readme, write
from masktune.analysis.summary.records import Record, read
from masktune.data.world.settings import WORLD_VERSION
from masktune.errors import MaskTuneError
from masktune.study.design.load import load_study

DIRECTIONS = {"loses", "wins", "better", "worse", "hurts", "helps"}


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [(4.0, verdicts.REPRODUCED), (-4.0, verdicts.OPPOSITE), (0.2, verdicts.NOT_REPRODUCED), (2.0, verdicts.IN_PART)],
)
def test_a_claim_is_told_by_its_verdict_and_its_numbers(project, record, difference, verdict):
    store(project, difference, verdict)
    text = findings.study(record)
    sign = "+" if difference > 0 else MINUS
    assert f"**{verdict}**; {sign}{abs(difference):.1f} points on average" in text
    assert "Mask-tuning is more accurate than fine-tuning on out-of-distribution sets" in text
    assert "All 40 declared runs are in." in text
    assert DIRECTIONS.isdisjoint(text.split())


@pytest.mark.parametrize(("gate", "told"), [("", True), *((gate, False) for gate in verdicts.GATES)])
def test_a_difference_is_told_at_equal_accuracy_too_where_no_gate_is_closed(project, record, gate, told):
    store(project, 4.0, gate or verdicts.NOT_REPRODUCED, gate=gate)
    pair = {"method": "Mask-tuning", "against": "fine-tuning", "kind": "out_of_distribution"}
    at_end = {"task": "inference", "model": "bert", "seeds": 10, "difference": 4.0, "low": 3.0, "high": 5.0}
    rows = [
        {**pair, **at_end, "set": name, "matched": gain, "matched_low": gain - 1, "matched_high": gain + 1, "beyond": 2}
        for name, gain in zip(SETS, (0.5, 0.75), strict=True)
    ]
    save(project / "results" / "toy" / "tables", "matched", [*rows, {**rows[0], "method": "experts"}])
    for text in (findings.study(record), readme.write([record]).replace("\n  ", " ")):
        assert text.count("at equal accuracy in distribution") == told
        assert (
            "+0.5 to +0.8 points out of distribution on 2 sets, 10 seeds (at the last epoch +4.0 to +4.0)" in text
        ) == told
        assert ("in 4 of 20 pairs fine-tuning never has that accuracy" in text) == told


def test_differences_between_rows_that_trained_are_told_one_by_one_where_they_are_few(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    told = "Differences of these, in points: "
    method, against = (record.study.claims[1].method, record.study.claims[1].against)
    sets = " and ".join(f"+5.0 [+4.0, +6.0] on {names.evaluation_set(name)}" for name in SETS)
    assert f"{told}{method} {MINUS} {against} (BERT on inference, 10 seeds) {sets}." in findings.study(record)
    path = project / "results" / "toy" / "tables" / "claims.csv"
    claims = pd.read_csv(path)
    for column, value in (("verdict", verdicts.DID_NOT_TRAIN), ("seeds", 9), ("kind", "in_distribution")):
        claims.assign(**{column: value}).to_csv(path, index=False)
        assert told not in findings.study(record)


def test_gates_are_told_before_the_claims(project, record):
    store(project, -20.0, verdicts.DID_NOT_TRAIN, trained=False, passed="failed")
    text = findings.study(record)
    assert "1 of 4 rows (method x model x task) did not: Mask-tuning (BERT on inference)." in text
    assert (
        "passed on 0 of 2 (model x set), +20.0 to +20.0 points where 15 are asked for; control failed: BERT on" in text
    )
    assert "Known remedies gain: experts on 2 of 2" in text
    assert text.index("Did it train?") < text.index(f"**{verdicts.DID_NOT_TRAIN}**")
    assert "By the gates 1 of 4 rows did not train, and 2 of 4 declared comparisons" in "\n".join(page.hard([record]))


def test_controls_and_remedies_that_did_not_train_are_told_apart(project, record):
    store(project, -20.0, verdicts.NOT_TESTABLE, passed=verdicts.DID_NOT_TRAIN)
    frame = record.table("gates")
    path = project / "results" / "toy" / "tables" / "gates.csv"
    frame.loc[frame["role"] == "remedy", "passed"] = ["gains", verdicts.DID_NOT_TRAIN]
    frame.to_csv(path, index=False)
    text = findings.study(record)
    assert "passed on 0 of 2 (model x set)" in text and "; control did not train: BERT on heuristics, BERT on" in text
    assert "Known remedies gain: experts on 1 of 2 (1 did not train) (model x set)." in text


def test_estimates_are_counted_by_verdict_and_side(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    [text] = findings.estimated(record)
    assert text.startswith("Its 2 other declared comparisons: 2 not testable here; of 2 that were run")
    assert "above 0 on 2, below on 0" in text


def test_what_is_not_run_is_said(project, record):
    assert findings.bullets([record]) == ["**Declared and not run yet**: `toy` (40 runs)."]
    assert "`toy` lacks 40 of 40" in page.write([record])


def test_language_models_that_still_learn_are_counted_once(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    rows = [
        {"model": "bert", "pretraining": number, "last_gain": gain, "levelled_off": gain < 0.02}
        for number, gain in enumerate((0.01, 0.03, 0.05))
    ]
    folder = project / "results" / "toy" / "tables"
    save(folder, "language_models", [*rows, {**rows[2], "model": "the same by another name"}])
    [line] = [line for line in page.not_done([record, record]) if line.startswith("- Language models")]
    assert "2 of 3 that were trained here had not levelled off" in line and "by 0.030 to 0.050 nats" in line
    save(folder, "language_models", rows[:1])
    assert "Language models" not in " ".join(page.not_done([Record(record.study)]))


def test_sets_without_a_control_are_named(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    assert "positive control" not in " ".join(page.not_done([record]))
    path = project / "results" / "toy" / "tables" / "claims.csv"
    claims = pd.read_csv(path)
    claims.loc[claims["set"] == "adversarial", "control"] = "no control"
    claims.to_csv(path, index=False)
    line = "- Sets without a positive control in `toy`, which carry no verdict there: adversarial (BERT)."
    assert line in page.not_done([Record(record.study)])


def test_results_of_another_declaration_are_not_shown(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    path = project / "studies" / "toy.toml"
    path.write_text(path.read_text().replace('question = "Does', 'question = "Really, does'))
    assert Record(load_study("toy")).has_results
    path.write_text(path.read_text() + "\n[training]\nlearning_rate = 9e-4\n")
    [changed] = read()
    assert findings.bullets([changed])[0].startswith("**Changed since its results were stored")
    assert changed.table("claims").empty and page.compute([changed]) == ["No run is stored."]


def test_results_of_another_world_are_not_shown(project, record):
    store(project, 4.0, verdicts.REPRODUCED, digests='{"train": "any", "validation": "of yesterday"}')
    assert record.is_outdated and not record.has_results


def test_tables_of_an_older_version_are_asked_for_anew(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    path = project / "results" / "toy" / "tables" / "conclusions.csv"
    pd.read_csv(path).drop(columns="judged").to_csv(path, index=False)
    assert "Its tables are still to be made" in findings.study(record)


def test_the_page_has_the_sections_of_a_report_and_every_tested_comparison(project, record):
    store(project, -4.0, verdicts.OPPOSITE)
    text = page.write([record])
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "Scope of reproducibility", "Method", "Results", "What was easy", "What was hard", "What we could not do",
        "Deviations", "Contamination", "Compute", "Licences",
    ]  # fmt: skip
    rows = [line for line in text.splitlines() if line.startswith("| `toy` | BERT | Inference, ")]
    assert len(rows) == len(SETS)
    difference = f"{MINUS}4.0 [{MINUS}5.0, {MINUS}3.0]"
    assert f"| 66.0, 70.0 | {difference} | trained: both; control: passed |" in rows[0]
    assert "| `toy` | cpu, Abacus, 1 thread | 40 | 0.5 |" in text
    assert "| the embedded world's | `toy` | random weights, trained here |" in text and "| 2.50 |" in text
    assert len(text.splitlines()) <= 120


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [
        (((-2.0, 0.03), (-1.0, 0.03)), verdicts.REPRODUCED), (((2.0, 0.03), (1.0, 0.03)), verdicts.OPPOSITE),
        (((-2.0, 0.03), (1.0, 0.5)), verdicts.IN_PART), (((-2.0, 0.4), (1.0, 0.5)), verdicts.NOT_REPRODUCED),
        (((-2.0, None), (-1.0, None)), verdicts.NOT_TESTABLE),
    ],
)  # fmt: skip
def test_slopes_are_told_by_their_verdict(project, monkeypatch, slopes, verdict):
    store(project, 4.0, verdicts.REPRODUCED)
    at = {"basis": findings.ALL_PLACES, "kind": "in_distribution", "method": "Mask-tuning", "seeds": 6}
    over = ("training steps", "adaptation steps")
    rows = [
        {**at, "over": name, "slope": slope, "low": slope - 1, "high": slope + 1, "p": p}
        for name, (slope, p) in zip(over, slopes, strict=True)
    ]
    save(project / "results" / "toy" / "tables", "slopes", [*rows, {**rows[0], "basis": "the places that are there"}])
    declared = SimpleNamespace(method="Mask-tuning", kind="in_distribution")
    study = replace(load_study("toy"), slopes=(declared,))
    [text] = findings.slopes(Record(study))
    assert text.startswith(f"What Mask-tuning loses falls with more steps: **{verdict}**; in points, ")
    assert text.count("with ten times the") == 2


def test_readme_has_the_tests_and_the_gates_as_tables(project, record):
    store(project, 4.0, verdicts.REPRODUCED)
    claims, gates, *_ = readme.write([record]).split("\n\n")
    assert claims.splitlines()[2:] == [
        "| Mask-tuning is more accurate than fine-tuning on out-of-distribution sets | `toy` | "
        "**reproduced in this setting** | +4.0 (+4.0 to +4.0) | 2, 8 to 10 seeds |"
    ]
    assert gates.splitlines()[2:] == ["| `toy` | 40 of 40 | 4 of 4 | 2 of 2 | 2 | 2 | 2 | 0 |"]


def test_readme_says_what_is_not_run_and_has_no_table_of_nothing(project, record):
    assert readme.write([record]) == "- **Declared and not run yet**: `toy` (40 runs)."


# ---- files


def test_the_command_writes_what_changed_and_then_has_nothing_to_do(project, capsys):
    store(project, 4.0, verdicts.REPRODUCED)
    parts = [f"<!-- {name}: by {page.COMMAND} -->\nold\n<!-- end of {name} -->" for name in ("findings", "studies")]
    marks = "\n\n".join(parts)
    (project / "README.md").write_text(f"# Mine\n\n{marks}\n\nThe end.\n")
    assert main(["summary"]) == 0
    assert "RESULTS.md, README.md" in capsys.readouterr().out
    text = (project / "README.md").read_text()
    assert "\nold\n" not in text and "| `toy` | 40 of 40 |" in text and text.endswith("The end.\n")
    assert "| `toy` | Does it work? | BERT |" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 119
    assert main(["summary"]) == 0
    assert capsys.readouterr().out == "RESULTS.md and README say what is stored\n"


def test_results_elsewhere_leave_the_project_as_it_is(project, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("MASKTUNE_RESULTS", str(elsewhere))
    (project / "README.md").write_text("no marks")
    assert write.write() == [elsewhere / "RESULTS.md"]
    assert (project / "README.md").read_text() == "no marks"


def test_a_file_without_the_marks_is_refused_in_one_line(project):
    (project / "README.md").write_text("no marks")
    with pytest.raises(MaskTuneError, match=r"^README\.md lacks the lines '<!-- findings: by .*put them where"):
        write.write()


# ---- the deviations log


@pytest.fixture
def versions(project, monkeypatch):
    """Two versions of a history, and the stored tables of today."""
    store(project, 4.0, verdicts.REPRODUCED)
    place = {"task": "inference", "model": "bert", "set": "heuristics", "kind": "out_of_distribution"}
    past = {**place, "fine_tuning": 70.0, "mask_tuning": 65.0, "difference": -5.0, "low": -9, "high": -1, "seeds": 3}
    states = [(1, "2026-11-22", "abc"), (2, "2026-11-23", "def")]
    (project / "results" / "history").mkdir()
    rows = [{**dict(zip(("version", "date", "commit"), state, strict=True)), **past} for state in states]
    save(project / "results" / "history", "embedded", rows)
    tables = project / "results" / "toy" / "tables"
    levels = (("fine-tuning", 60), ("Mask-tuning", 64))
    save(tables, "main", [{**place, "method": label, "accuracy": value} for label, value in levels])
    pair = {"first": "fine-tuning", "second": "Mask-tuning", "seeds": 10}
    save(tables, "differences", [{**place, **pair, "difference": 4.0, "low": 1, "high": 7}])
    records = read()
    monkeypatch.setattr(Record, "name", "embedded")
    monkeypatch.setattr("masktune.analysis.summary.records.folder", lambda name: project / "results" / "toy")
    return records


def test_the_log_has_a_column_for_each_version_and_one_for_today(versions):
    head, _, row = history.tables(versions)["embedded"].splitlines()
    assert head.endswith(f"| 1, 2026-11-22 (abc) | 2, 2026-11-23 (def) | {WORLD_VERSION}, now (results/embedded) |")
    past = f"70.0 to 65.0: {MINUS}5.0 (3)"
    assert row == f"| Inference | BERT | heuristics | {past} | {past} | 60.0 to 64.0: +4.0 (10) |"
