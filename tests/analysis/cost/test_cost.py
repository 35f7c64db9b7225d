"""Costs of made-up runs whose ratios are known, and what is said where something was not measured."""

import json

import numpy as np
import pandas as pd
import pytest
from synthetic_study import make, with_failures

from masktune.analysis import names, provenance, results
from masktune.analysis.cost import benchmarks, figures, formatting, numbers, tables, text
from masktune.analysis.table import Table

pytestmark = pytest.mark.slow

SEEDS = 4


@pytest.fixture
def runs():
    """Mask-tuning takes 1.5 times the time, 1.2 times the energy and the memory of fine-tuning."""
    frame, _ = make(models=("bert", "bart"), seeds=SEEDS, examples=12)
    slow = np.where(frame["method"] == "mask_tuning", 1.5, 1.0)
    bart = frame["model"] == "bart"
    return frame.assign(
        cell_id=frame["model"] + frame["task"] + frame["label"],
        part="main",
        train_seconds=10 * slow * (1 + frame["seed"]),
        curve_seconds=1.0,
        evaluate_seconds=2.0,
        model_seconds=0.5,
        load_seconds=3.0,
        tokenise_seconds=1.0,
        prepare_seconds=5.0,
        failed_seconds=float("nan"),
        train_examples=np.where(frame["task"] == "sentiment", 9000, 3000),
        parameters=np.where(bart, 4e6, 1e6),
        process_peak_bytes=1e9,
        device_peak_bytes=None,
        host_energy_joules=3600 * np.where(frame["method"] == "mask_tuning", 1.2, 1.0),
        device_energy_joules=None,
    )


@pytest.fixture
def bare(runs):
    """Runs as they were stored before they said more than their times."""
    known = ["train_seconds", "curve_seconds", "evaluate_seconds", "model_seconds", "train_examples", "cell_id"]
    stored = [column for column in make(examples=12, seeds=1)[0]]
    return runs[list(dict.fromkeys([*stored, *known]))].assign(process_peak_bytes=1e9)


def test_overhead_is_the_geometric_mean_over_pairs(runs):
    ratios = numbers.overhead(runs)
    assert len(ratios) == 6
    assert ratios[["time", "low", "high", "energy", "memory"]].to_numpy() == pytest.approx(
        np.tile([1.5, 1.5, 1.5, 1.2, 1.0], (6, 1))
    )
    assert (ratios["seeds"] == SEEDS).all()


def test_only_seeds_that_both_methods_finished_are_compared(runs):
    fast = (runs["method"] == "mask_tuning") & (runs["seed"] == 0)
    runs.loc[fast, "train_seconds"] = 1.0
    runs.loc[(runs["method"] == "fine_tuning") & (runs["seed"] == 0), "status"] = "failed"
    ratios = numbers.overhead(runs)
    assert (ratios["seeds"] == SEEDS - 1).all()
    assert ratios["time"].to_numpy() == pytest.approx(1.5)


@pytest.mark.parametrize("column", ["source", "precision"])
def test_costs_of_runs_that_were_made_differently_are_never_mixed(runs, column):
    """Two seeds of each method were made anew by other code, or in another precision, where the ratio is another."""
    later = runs["seed"] >= SEEDS / 2
    slower = later & (runs["method"] == "mask_tuning")
    mixed = runs.assign(
        **{column: np.where(later, "b" * 12, "a" * 12)},
        train_seconds=runs["train_seconds"].mask(slower, 2 * runs["train_seconds"]),
    )
    ratios = numbers.overhead(mixed)
    expected = ratios[column].map({"a" * 12: 1.5, "b" * 12: 3.0})
    assert len(ratios) == 12 and ratios["time"].to_numpy() == pytest.approx(expected.to_numpy())
    said = text.answer(mixed).data
    assert said.count("takes 1.50 times") == said.count("takes 3.00 times") == 1 and "2.12" not in said
    price = tables.overhead(mixed).shown
    assert len(price) == 4 and price["Made in"].nunique() == 2
    assert "not all made alike" in tables.total(mixed).caption
    assert sum(bool(axis.get_title(loc="left")) for axis in figures.by_data(mixed).axes) == 4
    one_of_each = mixed["method"].eq("fine_tuning") == later
    assert numbers.overhead(mixed[one_of_each]).empty, "a pair is of one kind"


def test_runs_that_were_made_alike_are_said_to_be(runs):
    alike = runs.assign(source="0123456789", precision="fp32")
    table = tables.overhead(alike)
    assert table.caption.endswith("by the same code are compared: all in fp32, code 0123456.")
    assert "Made in" not in table.shown and provenance.mixed_note(alike) == ""


@pytest.mark.parametrize("stored", [{}, {"source": None}, {"source": None, "precision": None}])
def test_runs_that_do_not_say_how_they_were_made_are_compared_as_before(runs, stored):
    assert numbers.overhead(runs.assign(**stored))["time"].to_numpy() == pytest.approx(1.5)
    half = runs.assign(source=np.where(runs["seed"] > 0, "abc", None))
    said = " The runs were not all made alike: 36 by code abc, 12 by code that was not stored."
    assert provenance.mixed_note(half) == said


def test_methods_are_compared_at_the_same_training(runs):
    """A row with other training is compared with fine-tuning at that training, and with nothing where there is none."""
    few = runs[runs["task"] == "paraphrase"].assign(train_seconds=1.0, label=runs["label"] + ", few")
    alone = runs[runs["method"] == "mask_tuning"].assign(train_seconds=99.0, label="alone")
    sizes = [frame.assign(**{"training/epochs": epochs}) for frame, epochs in ((runs, 3.0), (few, 1.0), (alone, 2.0))]
    ratios = numbers.overhead(pd.concat(sizes, ignore_index=True))
    pairs = ratios[["first", "second"]].drop_duplicates().to_numpy().tolist()
    assert pairs == [["fine-tuning", "Mask-tuning"], ["fine-tuning, few", "Mask-tuning, few"]]
    by_second = ratios.groupby("second")["time"].mean().to_dict()
    assert by_second == pytest.approx({"Mask-tuning": 1.5, "Mask-tuning, few": 1.0})


def test_another_learning_rate_costs_the_same_and_is_compared(runs):
    rates = np.where(runs["method"] == "mask_tuning", 1e-3, 2e-3)
    assert len(numbers.overhead(runs.assign(**{"training/learning_rate": rates}))) == 6


def test_the_price_has_a_row_a_method_and_a_column_a_task(runs):
    shown = tables.overhead(runs).shown
    tasks = list(dict.fromkeys(runs["task"].map(names.task)))
    assert list(shown.columns) == ["Model", "Method", *tasks, "Peak memory", "Energy"]
    assert len(shown) == runs["model"].nunique() and set(shown["Method"]) == {"Mask-tuning"}
    assert shown[tasks].map(lambda text: text.startswith("1.50")).all(axis=None)


def test_ratios_are_averaged_by_their_logarithms(runs):
    first = runs["seed"] == 0
    runs.loc[first, "train_seconds"] = np.where(runs.loc[first, "method"] == "mask_tuning", 6.0, 1.0)
    ratios = numbers.overhead(runs)
    assert ratios["time"].to_numpy() == pytest.approx((6 * 1.5**3) ** 0.25)
    assert (ratios["low"] < ratios["time"]).all() and (ratios["time"] < ratios["high"]).all()


def test_the_answer_is_made_from_the_numbers(runs):
    said = text.answer(runs).data
    assert said.startswith("**Mask-tuning takes 1.50 times the training time of fine-tuning**")
    assert "It takes 1.20 times the energy." in said
    assert "1.50 at 1 million parameters and 1.50 at 4 million parameters" in said
    assert "1.50 at 3,000 and 1.50 at 9,000" in said


def test_what_was_not_measured_is_said_and_never_zero(bare):
    said = text.answer(bare).data
    assert "energy was not measured: no counter" in said
    assert "do not say how many parameters" in said
    assert set(tables.overhead(bare).shown["Energy"]) == {"not measured"}
    assert numbers.overhead(bare)["energy"].isna().all()
    assert "No finished run says how many parameters" in figures.by_size(bare).alt
    missing = " ".join(text.missing(bare))
    assert "Number of parameters: not stored" in missing and "no GPU was used" in missing
    total = tables.total(bare)
    times = total.shown.set_index("Phase")["Time"]
    assert times["loading data, once a cell"] == "not measured"
    assert times["all together"].startswith("at least ")
    assert "Energy was not measured" in total.caption


def test_a_gpu_whose_counter_was_not_read(runs):
    said = " ".join(text.missing(runs.assign(device_peak_bytes=5e9)))
    assert "install masktune[gpu]" in said
    runs = runs.assign(device_peak_bytes=5e9, device_energy_joules=1.0)
    assert text.missing(runs) == ["Nothing is missing: every run says its time, memory, energy and size."]
    assert (numbers.per_run(runs)["peak_bytes"] == 5e9).all()


def test_nothing_to_compare_is_a_sentence(runs):
    only = runs[runs["method"] == "fine_tuning"]
    assert "No finished run of Mask-tuning" in text.answer(only).data
    assert tables.overhead(only).shown.empty


def test_accuracy_for_time_and_energy():
    runs, predictions = make(seeds=2, examples=12)
    runs = runs.assign(curve_seconds=0.0, evaluate_seconds=26.0, train_examples=10, host_energy_joules=7200.0)
    main = results.of(runs, predictions).main
    frame = numbers.efficiency(runs, main)
    assert frame["hours"].to_numpy() == pytest.approx(0.01)
    assert frame["watt_hours"].to_numpy() == pytest.approx(2.0)
    row = frame[(frame["task"] == "sentiment") & (frame["method"] == "fine-tuning")].iloc[0]
    own = main[(main["task"] == "sentiment") & (main["method"] == "fine-tuning")].set_index("set")["accuracy"]
    assert row["inside"] == pytest.approx(own["validation"])
    assert row["outside"] == pytest.approx((own["contrast"] + own["counterfactual"]) / 2)
    shown = tables.efficiency(runs, main).shown
    assert shown["An hour, in"].iloc[0] == f"{100 * own['validation']:,.0f}"


def test_the_whole_study_counts_failed_runs_and_loads_once_a_cell(runs):
    runs, _ = with_failures(runs, pd.DataFrame({"run_id": []}), failed=2, missing=1)
    runs.loc[runs["status"] == "failed", "failed_seconds"] = [7.0, float("nan")]
    phases = numbers.total(runs).set_index("phase")
    done = runs[runs["status"] == "done"]
    assert phases.loc["training", "seconds"] == done["train_seconds"].sum()
    assert phases.loc["loading data, once a cell", ["seconds", "runs"]].tolist() == [3.0 * 12, 12]
    assert phases.loc["preparing what a method needs, once a cell", ["seconds", "runs"]].tolist() == [5.0 * 12, 12]
    assert phases.loc["runs that failed", ["seconds", "runs", "unknown"]].tolist() == [7.0, 2, 1]


def test_grouped_and_random_batches_are_compared_by_seed(runs):
    shuffled = runs[(runs["label"] == "fine-tuning") & (runs["model"] == "bert") & (runs["task"] == "paraphrase")]
    shuffled = shuffled.assign(
        **{
            "label": "random batches",
            "training/sampling": "random",
            "train_seconds": 2 * shuffled["train_seconds"],
            "accuracy/swaps": shuffled["accuracy/swaps"] - 0.01,
        }
    )
    both = pd.concat([runs.assign(**{"training/sampling": "group_by_length"}), shuffled], ignore_index=True)
    grouped = numbers.grouping(both)
    assert grouped[["task", "model"]].drop_duplicates().to_numpy().tolist() == [["paraphrase", "bert"]]
    swaps = grouped.set_index("set").loc["swaps"]
    assert (swaps["difference"], swaps["speedup"], swaps["seeds"]) == (pytest.approx(1.0), pytest.approx(2.0), SEEDS)
    assert isinstance(tables.grouping(both), Table)
    adapted = both[both["label"] == "random batches"].assign(label="adapted", adaptation="another model")
    assert numbers.grouping(pd.concat([both, adapted])).equals(grouped), "another model is not another order of batches"
    assert "random batches" not in set(numbers.overhead(both)["second"])
    assert numbers.grouping(runs).empty
    assert "training = { sampling = ... }" in tables.grouping(runs).data


def test_figures_draw_a_panel_for_each_task_and_model(runs):
    assert len(figures.by_size(runs).axes) == 3
    figure = figures.by_data(runs)
    assert len(figure.axes) == 2
    assert figure._repr_png_()
    baseline = runs[runs["label"] == "Mask-tuning"].assign(label="another", part="baseline")
    both = pd.concat([runs, baseline], ignore_index=True)
    labels = [text.get_text() for text in figures.by_data(both).legends[0].get_texts()]
    assert labels == ["fine-tuning", "Mask-tuning", "one run", "hollow: 4 seeds"]


def test_the_share_of_training_is_that_of_the_largest_call(tmp_path, monkeypatch):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    assert "left a record" in text.grid_share("small")[0]
    (tmp_path / "small").mkdir()
    records = [
        {"date": "2026-01-01", "workers": 2, "wall_seconds": 50.0, "pure_seconds": 90.0, "runs": 3},
        {
            "date": "2026-01-02",
            "workers": 2,
            "wall_seconds": 50.0,
            "pure_seconds": 60.0,
            "made_seconds": 10.0,
            "runs": 3,
        },
        {"date": "2026-01-02", "workers": 2, "wall_seconds": 90.0, "pure_seconds": 0.0, "runs": 0},
    ]
    (tmp_path / "small" / "grid.json").write_text(json.dumps(records))
    [line] = text.grid_share("small")
    assert line.startswith(
        "Training and evaluation, also of the models that runs start from, were 70% of the time of 2"
    )
    assert line.endswith("asked: 3 runs in 50.0 s of wall time in the largest of 2 calls.")
    (tmp_path / "small" / "grid.json").write_text(json.dumps(records[:1]))
    assert text.grid_share("small")[0].endswith("asked: 3 runs in 50.0 s of wall time.")


def test_stored_benchmarks_are_shown_with_their_machine(tmp_path, monkeypatch, runs):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    assert "`make bench` measures" in benchmarks.benchmark("headline").data
    folder = tmp_path / "bench"
    folder.mkdir()
    rows = ["MiniLM,MNLI,time d/a,at most 0.5,0.4512,0.43,0.5,3,yes", "MiniLM,MNLI,time d/c,,1.9,1.8,2.0,3,"]
    head = "size,lengths,measure,asked,median,min,max,repetitions,met"
    (folder / "headline.csv").write_text("\n".join([head, *rows]) + "\n")
    machine = {"processor": "A processor", "cores": 2, "memory_bytes": 2**34, "gpu": None, "date": "2026-01-01"}
    (folder / "machine.json").write_text(json.dumps(machine))
    table = benchmarks.benchmark("headline")
    assert table.shown.iloc[0].tolist() == ["MiniLM", "MNLI", "time d/a", "at most 0.5", "0.451 [0.43, 0.5]", 3, "yes"]
    assert table.caption.endswith("Measured on A processor, 2 cores, 16 GiB, 2026-01-01.")
    assert "1.90 times as long as our own fine-tuning and 0.45 times" in text.answer(runs).data


@pytest.mark.parametrize(("seconds", "text"), [(0, "0.0 s"), (89, "89.0 s"), (90, "1.5 min"), (7200, "2.0 h")])
def test_durations(seconds, text):
    assert formatting.duration(seconds) == text
