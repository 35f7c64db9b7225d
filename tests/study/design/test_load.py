"""From TOML to a study, and what is said of a mistake."""

import re
import subprocess
import sys

import pytest
from study.conftest import edited

from masktune.errors import MaskTuneError
from masktune.study import paths
from masktune.study.design.load import load_study, parse_study


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("taks", ["sentiment"], "top of the file: unknown key 'taks' (did you mean 'tasks'?)"),
        ("data", "reel", "top of the file: unknown data 'reel'"),
        ("tasks", ["sentimant"], "top of the file: tasks: unknown task 'sentimant' (did you mean 'sentiment'?)"),
        ("tasks", "sentiment", "top of the file tasks = 'sentiment'; expected a list"),
        ("seeds", 0, "seeds = 0; expected at least 1"),
        ("seeds", True, "seeds = True; expected a list"),
        ("name", "a/b", "top of the file: name = 'a/b'; expected letters"),
        ("training.epochs", -1, "[training.sentiment]: epochs = -1.0; expected a number above 0"),
        ("training.epochs", "3", "[training.sentiment] epochs = '3'; expected a number"),
        ("training.paraphrase", {}, "[training.<task>]: unknown task of the study 'paraphrase'"),
        ("training.sentiment.lr", 1e-4, "[training.sentiment]: unknown key 'lr'"),
        ("models", {}, "top of the file: models = {}; expected at least one"),
        ("models.bert.checkpont", "x", "[models.bert]: unknown key 'checkpont' (did you mean 'checkpoint'?)"),
        ("models.bert.checkpoint", " ", "[models.bert]: checkpoint = ' '; expected"),
        ("grid.1.alpha", 2, "[[grid]] 'Mask-tuning': alpha 2 is outside [0, 1]"),
        ("grid.1.alpha", [0.5, -1], "[[grid]] 'Mask-tuning': alpha -1 is outside [0, 1]"),
        ("grid.1.alpha", [], "[[grid]] 'Mask-tuning': alpha = []; expected at least one value"),
        ("grid.1.alhpa", 0.5, "[[grid]] 'Mask-tuning': unknown option of mask_tuning 'alhpa' (did you mean 'alpha'?)"),
        ("grid.0.alpha", 0.5, "[[grid]] 'fine-tuning': the method 'fine_tuning' takes no options"),
        ("grid.0.part", "mian", "[[grid]] 'fine-tuning': unknown part 'mian' (did you mean 'main'?)"),
        ("grid.0.training", 3, "[[grid]] 'fine-tuning' training = 3; expected a table"),
        ("grid.0.training", {"epochs": 0}, "[[grid]] 'fine-tuning': training: epochs = 0.0; expected a number above 0"),
        ("grid.0.training", {"epoch": 1}, "[[grid]] 'fine-tuning': training: unknown key 'epoch'"),
        ("grid.0.method", "fine_tunning", "[[grid]] 'fine-tuning': unknown method 'fine_tunning'"),
        ("grid.0.models", ["bart"], "[[grid]] 'fine-tuning' models: unknown name 'bart'"),
        ("grid.1.label", "fine-tuning", "[[grid]] label = 'fine-tuning' occurs twice"),
        ("grid.1.label", 7, "[[grid]] label = 7; expected a text"),
        (
            "grid.1.adaptation",
            {"step": 5},
            "[[grid]] 'Mask-tuning' adaptation: unknown key 'step' (did you mean 'steps'",
        ),
        (
            "grid.1.method",
            "mask_tuning+r_drop+free_lb",
            "[[grid]] 'Mask-tuning': 'r_drop' and 'free_lb' both change the",
        ),
        ("grid", [], "grid = []; expected at least one"),
        (
            "grid",
            [{"label": "shorter", "method": "fine_tuning", "part": "ablation"}],
            "[[grid]] part = ['ablation']; expected at least one row of part 'main'",
        ),
        ("claims.0.method", "Mask-tunning", "[[claims]]: unknown label 'Mask-tunning' (did you mean 'Mask-tuning'?)"),
        ("claims.0.test", "equality", "[[claims]]: unknown test 'equality'"),
        ("claims.0.kind", "ood", "[[claims]]: unknown kind 'ood'"),
        ("claims.0.margin", 0.5, "[[claims]] margin = 0.5; only non_inferiority has a margin"),
        ("claims.0.sets", ["hans"], "[[claims]]: sets = ['hans']; expected either kind"),
    ],
)
def test_mistakes_are_one_line_errors_that_quote_the_value(table, path, value, message):
    with pytest.raises(MaskTuneError, match="^" + re.escape(message)) as caught:
        parse_study(edited(table, path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("own", [{}, {"epochs": [3, 1.5]}])
def test_a_second_stage_follows_whole_epochs(table, own):
    table["training"]["inference"] = {} if own else {"epochs": 2.5}
    table["grid"].append({"label": "again", "method": "mask_tuning+forgettable", "training": own})
    place, epochs = ("again (epochs 1.5)' on sentiment", 1.5) if own else ("again' on inference", 2.5)
    with pytest.raises(
        MaskTuneError, match=re.escape(f"[[grid]] '{place}: epochs = {epochs}; expected a whole number")
    ):
        parse_study(table)
    table["grid"][-1] |= {"training": {"epochs": 3}}
    assert {cell.training.epochs for cell in parse_study(table).cells if cell.label == "again"} == {3}


def test_a_claim_about_a_row_without_runs_of_its_own_is_an_error(table):
    table["grid"].append({"label": "the same again", "method": "mask_tuning"})
    table["claims"][0]["method"] = "the same again"
    with pytest.raises(MaskTuneError, match="'the same again' has the same cells as an earlier row"):
        parse_study(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "mine.toml is not valid TOML"),
        ('name = "yours"\ndata = "real"\ntasks = ["sentiment"]', "mine.toml: top of the file: 'models' is missing"),
    ],
)
def test_errors_name_the_file(tmp_path, monkeypatch, text, message):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MaskTuneError, match="^" + re.escape(message)):
        load_study("mine")


def test_an_unknown_study_names_those_that_exist():
    known = ", ".join(paths.studies())
    with pytest.raises(MaskTuneError, match=f"no study 'embeded'; expected one of {known}, or write"):
        load_study("embeded")


@pytest.mark.parametrize("name", sorted(path.stem for path in (paths.PROJECT / "studies").glob("*.toml")))
def test_every_study_of_the_project_loads(name):
    study = load_study(name)
    assert {cell.task for cell in study.cells} == set(study.tasks)
    assert {claim.test for claim in study.claims} <= {"superiority", "non_inferiority", "estimate"}
    assert study.parts[study.cells[0].label] == "main" and study.cells[0].method == "fine_tuning"


def test_a_study_is_read_without_what_loads_a_model():
    code = "import sys; from masktune.study.design.load import load_study; load_study('laptop'); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True, check=True)
    assert "masktune.methods" in ended.stdout.split()
    assert not {"transformers", "datasets", "pandas"} & set(ended.stdout.split())
