"""The paper's claims beside what studies observed: which comparison answers which claim, and nothing mixed."""

import numpy as np
import pandas as pd
import pytest
from analysis.claims.conftest import observed, row, shown, store

from masktune.analysis import claims
from masktune.analysis.claims import observations, verdicts
from masktune.analysis.claims.paper import CLAIMS, Compared, Setting
from masktune.analysis.table import write as write_table
from masktune.errors import MaskTuneError
from masktune.study.design.claims import smallest_p

pytestmark = pytest.mark.slow

PLAIN, PAPER = Setting("fine_tuning", {}), Setting("mask_tuning", {})
LONGER = Setting("mask_tuning", {}, plain=False)
SWEEP = """
name = "sweep"
data = "embedded"
tasks = ["sentiment"]
seeds = 6
[models.bert]
checkpoint = "embedded:bert"
[[grid]]
label = "ours"
method = "mask_tuning"
[[grid]]
label = "more"
method = "mask_tuning"
mask_rate = 0.15
[[claims]]
method = "ours"
against = "more"
kind = "out_of_distribution"
test = "superiority"
family = "ablation"
"""
SETS = {
    "embedded": [("sentiment", "contrast"), ("sentiment", "counterfactual"), ("inference", "heuristics"),
                 ("inference", "adversarial"), ("paraphrase", "swaps")],
    "laptop": [("sentiment", "imdb_contrast"), ("sentiment", "imdb_cad"), ("inference", "hans"),
               ("inference", "anli_r1"), ("inference", "anli_r2"), ("inference", "anli_r3"),
               ("paraphrase", "paws_qqp")],
}  # fmt: skip


def test_without_results_nothing_is_run_and_everything_has_a_row(results):
    frame = observations.observe()
    assert set(frame["verdict"]) == {verdicts.NOT_RUN}
    assert len(frame) == 3 * len(CLAIMS)
    assert frame["name"].nunique() == len(CLAIMS)


def test_every_published_gain_is_declared_by_all_three_studies(results):
    gains = observed().query("points.notna()")
    assert (
        len(gains) == 15
        and gains["reason"].eq("").all()
        and gains["command"].str.startswith("python -m masktune").all()
    )
    published = gains.groupby("name")["points"].first()
    assert published.to_dict() == {"IMDB-Cont": 4.0, "IMDB-CAD": 3.22, "HANS": 7.9, "AdvNLI": 6.2, "PAWS": 5.92}


def test_what_no_study_declares_is_said(results):
    frame = observed()
    asked = ["verdict", "reason"]
    assert frame.loc[("baselines", "laptop"), asked].tolist() == [verdicts.NOT_RUN, ""]
    assert frame.loc[("alpha 0.6", "laptop"), asked].tolist() == [verdicts.NOT_RUN, "no study declares it"]
    assert frame.loc[("diversity", "laptop"), asked].tolist() == [verdicts.NOT_RUN, "no study declares it"]
    assert frame.loc[("diversity", "embedded"), asked].tolist() == [verdicts.NOT_RUN, ""]
    assert frame.loc[("diversity", "embedded"), "command"] == "python -m masktune run STUDY"


@pytest.mark.parametrize("setting", ["embedded", "laptop"])
def test_each_gain_is_answered_by_its_set(results, setting):
    model = {"embedded": "roberta", "laptop": "minilm"}[setting]
    store(results, setting, *(row(*place, model, i + 1.0) for i, place in enumerate(SETS[setting])))
    frame = observed()
    differences = frame.xs(setting, level="setting")["difference"]
    adversarial = {"embedded": 4.0, "laptop": 5.0}[setting]
    assert differences[["IMDB-Cont", "IMDB-CAD", "HANS", "AdvNLI"]].tolist() == [1.0, 2.0, 3.0, adversarial]
    assert differences["PAWS"] == len(SETS[setting])
    others = frame.loc[frame.index.get_level_values("setting") != setting, "verdict"]
    assert set(others) == {verdicts.NOT_RUN}, "no study lends its numbers to another column"


def test_one_comparison_keeps_its_verdict_and_corrected_p(results):
    store(results, "embedded", row("inference", "heuristics", verdict=verdicts.NOT_REPRODUCED, corrected_p=0.2))
    cell = observed().loc["HANS", "embedded"]
    assert (cell["verdict"], cell["p"], cell["corrected_p"]) == (verdicts.NOT_REPRODUCED, 0.002, 0.2)
    assert (cell["seeds"], cell["examples"], cell["low"], cell["high"]) == (10, "400", 1.0, 3.0)


def test_several_comparisons_are_a_partial_conjunction(results):
    rows = [row("inference", f"anli_r{i}", "minilm", 2.0 * i) for i in (1, 2)]
    store(results, "laptop", *rows, row("inference", "anli_r3", "minilm", 0.1, p=0.8))
    cell = observed().loc["AdvNLI", "laptop"]
    assert (cell["holds_on"], cell["comparisons"], cell["verdict"]) == (2, 3, verdicts.IN_PART)
    assert (cell["lowest"], cell["highest"]) == (0.1, 4.0) and np.isnan(cell["p"])


def test_a_gain_over_roberta_is_held_against_roberta(results):
    rows = [row("inference", "heuristics", model, gain) for model, gain in (("bert", 9.0), ("roberta", 3.0))]
    store(results, "embedded", *rows)
    assert observed().loc["HANS", "embedded"]["difference"] == 3.0


def test_every_number_names_its_model_and_the_caption_whose_the_gains_are(results):
    """What is tested comes first: BERT's then, beside a published gain of RoBERTa's."""
    tested, estimated = (
        row("inference", "heuristics", model, test=test, difference=gain, low=gain - 1, high=gain + 1)
        for model, test, gain in (("bert", "superiority", 9.0), ("roberta", "estimate", 3.0))
    )
    store(results, "embedded", estimated, tested)
    assert shown("HANS", "Embedded world").startswith("BERT: +9.0 [")
    store(results, "laptop", *(row("inference", f"anli_r{i}", "minilm") for i in (1, 2, 3)))
    caption = claims.tables.observations(observations.observe()).caption
    assert "RoBERTa's; ours is of the models that each cell names (Embedded world: BERT; Laptop: MiniLM)" in caption


def test_the_largest_gain_is_shown_and_not_tested(results):
    store(results, "embedded", row("sentiment", "contrast"), row("sentiment", "counterfactual", "bert", 15.0))
    cell = observed().loc["up to 14", "embedded"]
    assert (cell["difference"], cell["verdict"]) == (15.0, verdicts.NOT_TESTABLE)
    assert cell["reason"] == "the largest of 2, picked after the fact"


def test_in_distribution_is_answered_by_non_inferiority(results):
    kept = {"test": "non_inferiority", "kind": "in_distribution", "margin": 0.5, "smallest_p": smallest_p(10, 1)}
    rows = [row(task, "validation", difference=0.6, **kept) for task in ("sentiment", "inference", "paraphrase")]
    store(results, "embedded", *rows, row("inference", "heuristics"))
    cell = observed().loc["in distribution", "embedded"]
    assert (cell["holds_on"], cell["comparisons"], cell["verdict"]) == (3, 3, verdicts.REPRODUCED)


def test_runs_that_are_missing_are_not_run(results):
    store(results, "embedded", row("inference", "heuristics", seeds=0, difference=np.nan, p=np.nan))
    assert observed().loc["HANS", "embedded"]["verdict"] == verdicts.NOT_RUN


def unrun(task, name, model="roberta", **changes):
    """A declared comparison whose runs are missing, as it stands in a stored table."""
    none = dict.fromkeys(("difference", "low", "high", "bound", "p", "opposite_p", "examples", "corrected_p"), np.nan)
    missing = {"seeds": 0, "verdict": verdicts.NOT_TESTABLE, "reason": "runs missing"}
    return row(task, name, model, **{**none, **missing, **changes})


KEPT = {"test": "non_inferiority", "kind": "in_distribution", "margin": 0.5}
LOST = {**KEPT, "difference": -9.0, "bound": -9.8, "p": 1.0, "opposite_p": 2**-5, "smallest_p": 2**-5, "seeds": 5}


@pytest.mark.parametrize(
    ("lost", "missing", "verdict"),
    [(2, 2, verdicts.NOT_TESTABLE), (3, 0, verdicts.OPPOSITE), (2, 1, verdicts.NOT_REPRODUCED)],
)
def test_a_claim_has_one_verdict_whichever_table_tells_it(results, lost, missing, verdict):
    """Declared comparisons without runs count here as they do in the table of conclusions."""
    sets = [("sentiment", "sst2_validation"), ("paraphrase", "qqp_validation"), ("inference", "mnli_matched")]
    rows = [row(*place, "minilm", **LOST) for place in sets[:lost]]
    rows += [unrun("inference", f"mnli_{i}", "minilm", **KEPT) for i in range(missing)]
    store(results, "laptop", *rows)
    cell = observed().loc["in distribution", "laptop"]
    concluded = claims.numbers.conclusion(pd.DataFrame(rows, columns=claims.numbers.COLUMNS))
    assert (cell["verdict"], cell["reason"]) == (verdict, concluded["reason"]) == (concluded["verdict"], cell["reason"])
    assert (cell["comparisons"], cell["holds_on"]) == (lost + missing, 0)
    assert f"of {lost + missing}" in shown("in distribution", "Laptop")


def test_a_missing_comparison_makes_no_other_one_easier(results):
    rows = [row("inference", f"anli_r{i}", "minilm", 2.0, p=0.04) for i in (1, 2)]
    store(results, "laptop", *rows, unrun("inference", "anli_r3", "minilm"))
    cell = observed().loc["AdvNLI", "laptop"]
    assert (cell["holds_on"], cell["comparisons"]) == (0, 3)
    assert cell["reason"] == "2 of 3 comparisons could be tested"


def test_of_the_largest_it_is_said_out_of_how_many(results):
    store(results, "embedded", row("sentiment", "contrast"), unrun("sentiment", "counterfactual"))
    reason = observed().loc["up to 14", "embedded"]["reason"]
    assert reason == "the largest of 1 that were run of 2, picked after the fact"


def test_a_lopsided_set_is_shown_beside_what_a_constant_answer_scores(results):
    levels = {"accuracy": 63.5, "against_accuracy": 30.8, "constant": 71.8, "balanced": 53.1, "against_balanced": 49.6,
              "auroc": 56.9, "against_auroc": 52.8}  # fmt: skip
    store(results, "laptop", row("paraphrase", "paws_qqp", "minilm", 32.7, **levels))
    said = (
        "PAWS-QQP: accuracy 63.5 against 30.8, a constant answer 71.8, balanced accuracy 53.1 against 49.6, AUROC 56.9"
        " against 52.8"
    )
    assert said in shown("PAWS", "Laptop") and said in shown("up to 14", "Laptop")


def test_labels_that_the_study_no_longer_has_answer_nothing(results):
    store(results, "embedded", row("inference", "heuristics", method="an older label"))
    assert observed().loc["HANS", "embedded"]["verdict"] == verdicts.NOT_RUN


def test_another_study_answers_in_the_column_where_it_belongs(results, tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "sweep.toml").write_text(SWEEP)
    rows = [row("sentiment", name, "bert", method="ours", against="more") for name in ("contrast", "counterfactual")]
    store(results, "sweep", *rows)
    frame = observed()
    cell = frame.loc["5 %", "embedded"]
    assert (cell["study"], cell["verdict"]) == ("sweep", verdicts.REPRODUCED)
    assert frame.loc["5 %", "laptop"]["verdict"] == verdicts.NOT_RUN
    assert cell["command"] == "python -m masktune run STUDY --method mask_tuning"
    assert "study sweep" in shown("5 %", "Embedded world")


@pytest.mark.parametrize(
    "own", ["training = { epochs = 4 }", "adaptation = { steps = 50 }", "data_options = { cue_rate = 0.5 }"]
)
def test_another_training_an_adaptation_or_other_data_answers_nothing(results, tmp_path, own):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "sweep.toml").write_text(SWEEP.replace("mask_rate = 0.15", f"mask_rate = 0.15\n{own}"))
    store(results, "sweep", row("sentiment", "contrast", "bert", method="ours", against="more"))
    assert observed().loc["5 %", "embedded"]["verdict"] == verdicts.NOT_RUN


def settled(method, against, **place):
    place = {"test": "superiority", "task": "sentiment", "model": "bert", "set": "contrast",
             "kind": "out_of_distribution", **place}  # fmt: skip
    at = Compared(**place, method=method, against=against)
    return {claim.name for claim in CLAIMS if claim.answers(at)}


@pytest.mark.parametrize(
    ("method", "against", "expected"),
    [
        (PAPER, PLAIN, {"IMDB-Cont", "up to 14", "Q3"}),
        (PAPER, Setting("span_cutoff", {}), {"baselines"}),
        (PAPER, Setting("mask_tuning", {"mask_rate": 0.15}), {"5 %"}),
        (PAPER, Setting("mask_tuning", {"alpha": 0.2}), {"alpha 0.6"}),
        (PAPER, Setting("mask_tuning", {"alpha": 0.2, "mask_rate": 0.15}), set()),
        (Setting("mask_tuning", {"mask_rate": 0.15}), PLAIN, {"Q1"}),
        (Setting("mask_tuning", {"alpha": 0.2}), PLAIN, {"alpha"}),
        (Setting("mask_tuning", {"reduction": "maskable"}), PLAIN, set()),
        (Setting("mask_tuning+free_lb", {}), Setting("free_lb", {}), {"Q2"}),
        (Setting("mask_tuning+free_lb", {}), PLAIN, set()),
        (LONGER, PLAIN, set()),
        (PAPER, Setting("fine_tuning", {}, plain=False), set()),
        (PAPER, Setting("span_cutoff", {}, plain=False), set()),
        (Setting("mask_tuning", {"alpha": 0.2}, plain=False), PLAIN, set()),
        (Setting("mask_tuning+free_lb", {}, plain=False), Setting("free_lb", {}), set()),
    ],
)
def test_settings_say_which_claim_a_comparison_answers(method, against, expected):
    assert settled(method, against) == expected


def test_the_table_has_a_column_for_each_kind_of_study(results, tmp_path):
    store(results, "embedded", row("inference", "heuristics"))
    table = claims.tables.observations(observations.observe())
    assert list(table.shown) == ["Claim", "In words", "Published", *claims.tables.SETTINGS.values(), "Command"]
    cells = table.shown.set_index("Claim").loc["HANS"]
    assert cells["Embedded world"] == (
        "RoBERTa: +2.0 [+1.0, +3.0], p 0.002, corrected 0.030, 10 seeds, 400 examples; reproduced in this setting"
    )
    assert cells["Laptop"] == "not run"
    assert "95 % t interval over paired seeds x clusters of examples" in table.caption
    paths = write_table(table, tmp_path)
    assert [path.suffix for path in paths] == [".csv", ".md", ".tex"]
    text = paths[2].read_text()
    assert "\\toprule" in text and "p{0.16\\linewidth}" in text and "nan" not in text


def test_a_damaged_study_is_one_line(results, tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "sweep.toml").write_text(SWEEP.replace("seeds = 6", "seeds = 5"))
    store(results, "sweep", row("sentiment", "contrast"))
    with pytest.raises(MaskTuneError, match=r"sweep.toml: \[\[claims\]\] 'ours' against 'more': 5 paired seeds"):
        observations.observe()


def test_published_gains_are_the_papers():
    assert claims.paper.published_gains() == {"sentiment": 3.61, "inference": 7.05, "paraphrase": 5.92}
