"""A study and its cells."""

import time

import pytest
from study.conftest import edited

from masktune.errors import MaskTuneError
from masktune.study.design.load import parse_study
from masktune.study.plan import listing


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


def test_a_method_of_several_parts_is_one_cell_with_the_options_of_all(table):
    table["grid"].append({"label": "both", "method": "mask_tuning+free_lb", "alpha": 0.6, "radius": [0.1, 0.3]})
    cells = [cell for cell in parse_study(table).cells if cell.method == "mask_tuning+free_lb"]
    assert [cell.options for cell in cells[:2]] == [{"radius": 0.1}, {}]
    assert [cell.label for cell in cells[:2]] == ["both (radius 0.1)", "both (radius 0.3)"]


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
    with pytest.raises(MaskTuneError, match="'Mask-tuning' occurs twice for bert, sentiment"):
        parse_study({**table, "claims": []})
