"""From TOML to cells."""

import re
import subprocess
import sys
import time

import pytest

from masktune.errors import MaskTuneError
from masktune.study import paths as places
from masktune.study.plan import listing
from masktune.study.spec.load import load_study, parse_study


def edited(table: dict, path: str, value) -> dict:
    """The table with one value replaced; `path` like "training.epochs" or "grid.1.alpha"."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    at = table
    for part in parents:
        at = at[part]
    at[last] = value
    return table


def test_cells_are_models_by_tasks_by_settings(study):
    assert [(cell.task, cell.label) for cell in study.cells] == [
        ("sentiment", "fine-tuning"), ("sentiment", "Mask-tuning"),
        ("inference", "fine-tuning"), ("inference", "Mask-tuning"),
    ]  # fmt: skip
    assert {cell.seeds for cell in study.cells} == {(0, 1)}


def test_a_task_overrides_the_training(study):
    rates = {cell.task: cell.training.learning_rate for cell in study.cells}
    assert rates == {"sentiment": 1e-4, "inference": 2e-5}
    assert {cell.training.epochs for cell in study.cells} == {2.0}


def test_a_list_is_swept_and_what_varies_is_in_the_label(table):
    sweep = {
        "label": "sweep",
        "method": "mask_tuning",
        "alpha": [0.2, 0.4],
        "mask_rate": [0.05, 0.1],
        "keep": ["correct"],
    }
    study = parse_study(edited(table, "grid", [*table["grid"], sweep]))
    labels = [cell.label for cell in study.cells if cell.task == "sentiment"]
    assert labels[2:] == [f"sweep (alpha {alpha}, mask_rate {rate})" for alpha in (0.2, 0.4) for rate in (0.05, 0.1)]
    assert study.cells[2].options == {"alpha": 0.2, "keep": "correct"}


def test_rows_may_restrict_models_tasks_and_seeds(table):
    row = {
        "label": "few",
        "method": "mask_tuning",
        "alpha": 0.1,
        "tasks": ["inference"],
        "models": ["bert"],
        "seeds": [5],
    }
    study = parse_study(edited(table, "grid", [*table["grid"], row]))
    assert [(cell.task, cell.seeds) for cell in study.cells if cell.label == "few"] == [("inference", (5,))]


def test_a_row_may_have_training_of_its_own_and_sweep_it(table):
    short = {"label": "short", "method": "fine_tuning", "training": {"epochs": [1, 2], "learning_rate": 3e-4}}
    study = parse_study(edited(table, "grid", [*table["grid"], short]))
    own = [cell for cell in study.cells if cell.label.startswith("short")]
    assert {(c.label, c.task, c.training.epochs, c.training.learning_rate) for c in own} == {
        (f"short (epochs {epochs})", task, epochs, 3e-4) for epochs in (1, 2) for task in ("sentiment", "inference")
    }


def test_training_of_a_row_that_is_the_tasks_own_is_the_same_cell(table):
    again = {"label": "again", "method": "fine_tuning", "training": {"epochs": 2}}
    study = parse_study(edited(table, "grid", [*table["grid"], again]))
    assert {cell.label for cell in study.cells} == {"fine-tuning", "Mask-tuning"}


def test_a_cell_that_two_rows_ask_for_is_one_with_the_seeds_of_both(table):
    again = {"label": "sweep", "method": "mask_tuning", "alpha": [0.6, 0.8], "seeds": [1, 2]}
    study = parse_study(edited(table, "grid", [*table["grid"], again]))
    assert len({cell.id for cell in study.cells}) == len(study.cells) == 6
    assert [cell.seeds for cell in study.cells if cell.label == "Mask-tuning"] == [(0, 1, 2)] * 2


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
        ("grid.1.label", "fine-tuning", "[[grid]] label = 'fine-tuning' stands twice"),
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
        ("claims.0.first", "Mask-tunning", "[[claims]]: unknown label 'Mask-tunning' (did you mean 'Mask-tuning'?)"),
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


def test_a_row_can_adapt_its_models_first(table):
    table["grid"].append({"label": "TAPT", "method": "fine_tuning", "adaptation": {"steps": 50}})
    plain, tuned, adapted = (cell for cell in parse_study(table).cells if cell.task == "sentiment")
    assert adapted.model.name == plain.model.name and adapted.id != plain.id
    assert adapted.model.adaptation.steps == 50 and plain.model.adaptation is None
    assert adapted.parameters()["model"]["adaptation"] == {"steps": 50}


def test_a_method_of_two_texts_leaves_a_gap_where_a_task_has_one(table):
    row = {"label": "PoE", "method": "product_of_experts", "bias_model": ["overlap", "bag_of_words"]}
    table["grid"].append(row)
    study = parse_study(table)
    tasks = {(cell.label, cell.task) for cell in study.cells if cell.method == "product_of_experts"}
    overlap, words = "PoE (bias_model overlap)", "PoE (bias_model bag_of_words)"
    assert tasks == {(overlap, "inference"), (words, "inference"), (words, "sentiment")}
    assert study.gaps == ((overlap, "sentiment"),)
    assert f"no cells for {overlap} on sentiment: it needs two texts" in listing.plan(study, lambda cell: True)


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


def test_a_method_of_several_parts_is_one_cell_with_the_options_of_all(table):
    table["grid"].append({"label": "both", "method": "mask_tuning+free_lb", "alpha": 0.6, "radius": [0.1, 0.3]})
    cells = [cell for cell in parse_study(table).cells if cell.method == "mask_tuning+free_lb"]
    assert [cell.options for cell in cells[:2]] == [{"radius": 0.1}, {}]
    assert [cell.label for cell in cells[:2]] == ["both (radius 0.1)", "both (radius 0.3)"]


def test_a_claim_about_a_row_without_runs_of_its_own_is_an_error(table):
    table["grid"].append({"label": "the same again", "method": "mask_tuning"})
    table["claims"][0]["first"] = "the same again"
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
    known = ", ".join(places.studies())
    with pytest.raises(MaskTuneError, match=f"no study 'embeded'; expected one of {known}, or write"):
        load_study("embeded")


@pytest.mark.parametrize("name", sorted(path.stem for path in (places.PROJECT / "studies").glob("*.toml")))
def test_every_study_of_the_project_loads(name):
    study = load_study(name)
    assert {cell.task for cell in study.cells} == set(study.tasks)
    assert {claim.test for claim in study.claims} <= {"superiority", "non_inferiority", "estimate"}
    assert study.parts[study.cells[0].label] == "main" and study.cells[0].method == "fine_tuning"


def test_a_study_is_read_without_what_loads_a_model():
    code = "import sys; from masktune.study.spec.load import load_study; load_study('laptop'); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=places.PROJECT, capture_output=True, text=True, check=True)
    assert "masktune.methods" in ended.stdout.split()
    assert not {"transformers", "datasets", "pandas"} & set(ended.stdout.split())


def test_a_hundred_thousand_cells_are_planned_in_seconds(table):
    table["grid"] = [
        {
            "label": "sweep",
            "method": "mask_tuning",
            "alpha": [number / 1000 for number in range(250)],
            "mask_rate": [number / 1000 for number in range(200)],
        }
    ]
    table["claims"] = []
    start = time.process_time()
    cells = parse_study(table).cells
    assert len({cell.run_id(0) for cell in cells}) == 100_000
    assert time.process_time() - start < 30


def test_a_model_may_have_fewer_seeds(table):
    table["models"]["bart"] = {"checkpoint": "embedded:bart", "seeds": 1}
    table["grid"][1]["seeds"] = 3
    study = parse_study(table)
    assert study.declared_seeds["fine-tuning", "bert", "sentiment"] == (0, 1)
    assert study.declared_seeds["Mask-tuning", "bert", "sentiment"] == (0, 1, 2)
    assert study.declared_seeds["Mask-tuning", "bart", "sentiment"] == (0,)
    with pytest.raises(MaskTuneError, match=r"\[models.bart\] seeds = 'many'"):
        parse_study({**table, "models": {"bart": {"checkpoint": "embedded:bart", "seeds": "many"}}})


def test_rows_of_one_label_share_out_the_tasks(table):
    table["grid"][1]["tasks"] = ["sentiment"]
    table["grid"].append({"label": "Mask-tuning", "method": "mask_tuning", "alpha": 0.2, "tasks": ["inference"]})
    study = parse_study({**table, "claims": []})
    assert study.labels == ("fine-tuning", "Mask-tuning")
    assert [(cell.task, cell.options) for cell in study.cells if cell.label == "Mask-tuning"] == [
        ("sentiment", {}), ("inference", {"alpha": 0.2}),
    ]  # fmt: skip
    table["grid"][2]["tasks"] = ["sentiment", "inference"]
    with pytest.raises(MaskTuneError, match="'Mask-tuning' stands twice for bert, sentiment"):
        parse_study({**table, "claims": []})
