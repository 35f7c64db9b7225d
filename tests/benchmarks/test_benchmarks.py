"""The benchmarks on miniature models: that they measure what they say, not how fast anything is."""

import json
import os
import threading
from dataclasses import replace

import numpy
import pandas
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import __main__ as command
from benchmarks import arms, grid, lengths, measure, operations, processes, report, sharing, sizes, steps
from masktune.analysis import results
from masktune.errors import MaskTuneError
from masktune.study.store import gather
from masktune.training.sampling import lengths_of
from masktune.training.trainer import MaskTuningTrainer

pytestmark = pytest.mark.slow

MINIATURE = sizes.MINIATURE["bert"]
SMALL = {
    "bert": sizes.Size("small", "bert", 2, 64, 2, steps=1, vocabulary=300),
    "bart": sizes.Size("small", "bart", 2, 64, 2, steps=1, decoder_layers=2, vocabulary=300),
}


@pytest.fixture(autouse=True)
def stored_counts(monkeypatch):
    monkeypatch.delenv("MASKTUNE_MIRROR", raising=False)


def test_stored_counts_are_those_of_whole_train_sets():
    sst2, mnli = (lengths.read_counts(name) for name in ("SST-2", "MNLI"))
    assert (sst2.sum(), len(sst2)) == (67_349, lengths.LONGEST + 1)
    assert mnli @ range(129) / mnli.sum() > 2.5 * (sst2 @ range(129) / sst2.sum())


def test_quantiles_have_the_shape_of_the_distribution():
    histogram = lengths.read_counts("MNLI")
    drawn = lengths.quantiles(histogram, 640)
    assert drawn.mean() == pytest.approx(histogram @ range(129) / histogram.sum(), rel=0.01)
    assert numpy.bincount(drawn).nonzero()[0].max() == lengths.LONGEST


@pytest.mark.parametrize("family", ["bert", "bart"])
def test_operations_are_those_that_torch_counts(family):
    size, length = SMALL[family], 40
    ids = torch.randint(len(sizes.SPECIAL), size.vocabulary, (3, length))
    ids[:, -1] = sizes.SEP
    classifier = sizes.classifier(size, seed=0)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        classifier(input_ids=ids, labels=torch.zeros(3, dtype=torch.long)).loss.backward()
    # Torch computes the half of a causal attention that is masked, which is not needed.
    assert operations.fine_tuning(size, [length] * 3) == pytest.approx(counter.get_total_flops(), rel=0.03)


def test_mask_tuning_adds_the_rows_and_tokens_that_are_masked():
    size = SMALL["bert"]
    once = operations.fine_tuning(size, [22])
    classification = 3 * 2 * size.hidden * (size.hidden + sizes.CLASSES)
    masked_token = 3 * 2 * size.hidden * (size.hidden + size.vocabulary)
    expected = once + (1 - 0.9**20) * (once - classification) + 0.1 * 20 * masked_token
    assert operations.mask_tuning(size, [22], 0.1) == pytest.approx(expected)
    assert operations.mask_tuning(size, [22], 0.0) == once


@pytest.mark.parametrize("arm", report.ARMS)
def test_every_arm_is_measured(arm):
    row = measure.measure(measure.Task(arm, MINIATURE, "SST-2", lengths.read_counts("SST-2"), 0))
    assert row["examples"] == MINIATURE.batch_size * MINIATURE.steps
    assert row["seconds"] > 0 and row["operations"] > 0
    assert row["tokens"] / row["examples"] == pytest.approx(13.3, rel=0.02)


def test_what_torch_holds_is_at_least_weights_gradients_state_and_logits():
    """Naive: a number for each weight, its gradient and the two of AdamW, and the logits of every token."""
    size = sizes.Size("wide", "bert", 1, 16, 2, steps=1, batch_size=4, vocabulary=5000)
    weights = sum(p.numel() for p in arms.TwoHeads(sizes.classifier(size, 0)).parameters())
    held = {
        arm: measure.measure_peak_memory(measure.Task(arm, size, "SST-2", lengths.read_counts("SST-2"), 0))
        for arm in report.ARMS
    }
    logits = 4 * 4 * 5000 * 60  # the longest batch of SST-2 is longer than that
    assert held["naive"] > 4 * 4 * weights + logits > held["fine_tuning"] > 3 * 4 * weights
    assert held["naive"] > held["mask_tuning"] >= held["fine_tuning"]


@pytest.mark.parametrize(
    ("arm", "masks", "gradient"),
    [
        ("mask_tuning", True, True),
        ("torch_dropout", False, True),
        ("torch_word_gradient", True, False),
        ("torch_both", False, False),
        ("fine_tuning", True, False),
    ],
)
def test_each_arm_has_the_accelerators_that_its_name_says(arm, masks, gradient):
    """At a size at which both pay."""
    size = sizes.Size("wide", "bert", 1, 256, 4, steps=1, batch_size=2, vocabulary=4096)
    trainer = arms.make_trainer(arm, size, arms.make_examples(size, [20] * 4, 0), measure.Timer(), "unused", 0)
    assert trainer.decide_cpu_accelerators() == {"fast_dropout": masks, "fast_word_gradient": gradient}


@pytest.mark.parametrize("arm", ["naive", "mask_tuning"])
def test_the_few_batches_stand_for_the_epoch_and_bart_trains_too(arm):
    size = sizes.Size("few", "bart", 1, 8, 2, steps=8, batch_size=4, decoder_layers=1, vocabulary=40)
    drawn = lengths.quantiles(lengths.read_counts("MNLI"), 200 * 4)
    numpy.random.default_rng(0).shuffle(drawn)
    timer = measure.Timer()
    trainer = arms.make_trainer(arm, size, arms.make_examples(size, drawn, 0), timer, "unused", 0)
    chosen = numpy.array(list(trainer._get_train_sampler())).reshape(-1, 4)
    lengths_drawn = numpy.array(lengths_of(trainer.train_dataset))
    longest = lengths_drawn[chosen].max(1)
    assert len(chosen) == arms.WARM_UP + size.steps
    assert longest[0] == drawn.max()
    if arm == "mask_tuning":
        epoch = numpy.array(list(MaskTuningTrainer._get_train_sampler(trainer))).reshape(-1, 4)
        assert longest[1:].mean() == pytest.approx(lengths_drawn[epoch].max(1).mean(), rel=0.05)
        assert longest[1:].mean() < 1.15 * drawn.mean()
    before = trainer.model.classifier.get_input_embeddings().weight.detach().clone()
    trainer.train()
    assert not torch.equal(before, trainer.model.classifier.get_input_embeddings().weight)
    assert timer.end.seconds > timer.start.seconds > 0


def test_the_naive_loss_is_the_joint_loss():
    """With nothing random but the positions, its loss is alpha x MLM + (1 - alpha) x CE at the positions it drew."""
    size = SMALL["bert"]
    trainer = arms.make_trainer("naive", size, arms.make_examples(size, [20] * 40, 0), measure.Timer(), "unused", 0)
    model = trainer.model.eval()
    batch = dict(trainer.data_collator([trainer.train_dataset[row] for row in range(4)]))
    torch.manual_seed(1)
    loss = trainer.compute_loss(model, dict(batch))
    torch.manual_seed(1)
    ids = batch["input_ids"]
    positions = (torch.rand(ids.shape) < arms.MASK_RATE) & (ids >= len(sizes.SPECIAL))
    logits = model.masked_lm(ids.masked_fill(positions, sizes.SPECIAL.index("[MASK]"))).logits[positions]
    filled = ids.masked_scatter(positions, logits.argmax(-1))
    cross_entropy = torch.nn.functional.cross_entropy
    mlm = cross_entropy(logits, ids[positions])
    assert positions.any()
    torch.testing.assert_close(
        loss, 0.6 * mlm + 0.4 * cross_entropy(model.classifier(filled).logits, batch["labels"]), rtol=1e-4, atol=1e-5
    )


def made_up(repetitions=3):
    """Measurements in which (d) takes half of (a)'s time, a fifth of (b)'s, 1.8 times (c)'s; (e) to (g) take more."""
    milliseconds = {"stock": 10, "stock_padded": 20, "naive": 25, "fine_tuning": 5 / 1.8, "mask_tuning": 5}
    milliseconds |= {"torch_dropout": 6, "torch_word_gradient": 7, "torch_both": 8}
    return pandas.DataFrame(
        {
            "size": "MiniLM", "lengths": name, "arm": arm, "repetition": repetition, "precision": "fp32",
            "examples": 100, "tokens": 1300, "seconds": each / 10 * (1 + repetition),
            "peak_bytes": 2**30 * (2.5 if arm == "naive" else 1), "resident_bytes": 2**31,
            "operations": 2e9 if arm in ("naive", "mask_tuning") else 1e9, "bound_seconds": each / 20,
        }
        for repetition in range(repetitions) for name in ("SST-2", "MNLI") for arm, each in milliseconds.items()
    )  # fmt: skip


def test_headline_says_what_was_asked_and_reached():
    found = report.headline(made_up(), report.ASKED).set_index(["lengths", "measure"])
    assert list(dict.fromkeys(found.index.get_level_values(0))) == ["SST-2", "MNLI"]
    assert found.loc[("MNLI", "time d/a"), ["asked", "median", "met"]].tolist() == ["at most 0.5", 0.5, "yes"]
    assert found.loc[("MNLI", "time b/d"), ["asked", "median", "met"]].tolist() == ["at least 6", 5, "no"]
    assert found.loc[("SST-2", "time b/d"), "met"] == "yes"
    assert found.loc[("MNLI", "time d/c over operations d/c"), "median"] == pytest.approx(0.9)
    assert found.loc[("MNLI", "memory b/a"), ["median", "met"]].tolist() == [2.5, "yes"]
    assert found.loc[("MNLI", "operations d/c"), ["asked", "met"]].tolist() == ["", ""]
    gains = found.loc[[("SST-2", f"time {arm}/d") for arm in "efg"], "median"]
    assert gains.tolist() == pytest.approx([1.2, 1.4, 1.6])
    assert (report.headline(made_up(), {})["met"] == "").all()


def test_what_is_not_measured_on_a_gpu_has_no_row():
    found = report.headline(made_up().assign(resident_bytes=None), {})
    assert "memory d/c" in set(found["measure"]) and "resident memory d/c" not in set(found["measure"])


def test_arms_that_were_not_measured_have_no_row():
    frame = made_up()
    without = frame[~frame["arm"].isin(steps.SINGLE)]
    measures = set(report.headline(without, report.ASKED)["measure"])
    assert "time d/a" in measures and not {"time e/d", "time f/d", "time g/d", "memory f/d"} & measures
    there = frame[~frame["arm"].isin(steps.SINGLE) | (frame["lengths"] == "SST-2")]
    assert (report.headline(there, {}).query("measure == 'time e/d'")["lengths"] == "SST-2").all()


def test_step_cost_gives_medians_with_their_spread():
    found = report.step_cost(made_up()).set_index(["lengths", "arm"]).loc[("SST-2", "(a) stock fine-tuning")]
    names = ["ms_per_example", "ms_per_example_min", "ms_per_example_max", "times_the_bound", "repetitions"]
    assert found[names].tolist() == [20, 10, 30, 4, 3]
    text = report.lay_out(report.step_cost(made_up()))
    assert "20 [10, 30]" in text and "repetitions" in text


def test_repetitions_that_do_not_fit_are_left_out(monkeypatch):
    monkeypatch.setattr(measure, "product_speed", lambda precision: 1e9)
    made = []

    def fake(task):
        made.append(task)
        row = {"size": task.size.name, "lengths": task.lengths, "arm": task.arm, "repetition": task.repetition}
        numbers = {"precision": "fp32", "examples": 1, "seconds": 1.0, "operations": 1e9, "stolen": 0}
        return row | numbers | {"peak_bytes": None, "resident_bytes": 2}

    weighed = []
    monkeypatch.setattr(measure, "measure", fake)
    monkeypatch.setattr(measure, "measure_peak_memory", lambda task: weighed.append(task) or 7)
    monkeypatch.setattr(processes, "start_fresh", lambda: Here())
    both = [replace(MINIATURE, single=False), sizes.Size("other", "bert", 1, 8, 2, steps=9, repetitions=3)]
    rows, _ = steps.run(both, {"SST-2": None}, say=lambda line: None)
    assert [(task.size.name, task.repetition) for task in made[::5]] == [
        ("other", 0), ("miniature", 0), ("other", 1), ("miniature", 1), ("other", 2),
    ]  # fmt: skip
    usual = [arm for arm in report.ARMS if arm not in steps.SINGLE]
    assert [task.arm for task in made[:5]] == usual
    assert [task.size.steps for task in made[:5]] == [9, steps.PADDED_STEPS, 5, *[9 * steps.OUR_STEPS] * 2]
    assert {row["bound_seconds"] for row in rows} == {1.0}
    assert {row["peak_bytes"] for row in rows} == {7} and len(weighed) == 2 * len(usual)
    made.clear()
    steps.run(both, {"SST-2": None}, seconds=0, say=lambda line: None)
    assert len(made) == 2 * len(usual)
    made.clear()
    steps.run([replace(both[1], single=True)], {"SST-2": None}, seconds=0, say=lambda line: None)
    assert [task.arm for task in made] == list(report.ARMS)
    assert [task.size.steps for task in made[5:]] == [9 * steps.OUR_STEPS] * 3


@pytest.mark.parametrize(
    ("stolen", "tries", "kept"), [([0.01], 1, 0.01), ([0.3, 0.02], 2, 0.02), ([0.3, 0.1, 0.2], 3, 0.1)]
)
def test_a_disturbed_measurement_is_made_again_and_the_least_disturbed_kept(stolen, tries, kept):
    made = []

    def call(function, task):
        made.append(task)
        return {"stolen": stolen[len(made) - 1]}

    assert steps._measure_undisturbed(call, "task") == {"stolen": kept}
    assert made == ["task"] * tries


def test_readme_has_the_ratios_of_time_with_their_spread():
    lines = report.render_readme(report.headline(made_up(), report.ASKED)).splitlines()
    assert lines[0].startswith("| lengths of | Mask-tuning / stock fine-tuning |")
    assert lines[2:] == [
        "| MNLI | 0.50 [0.50, 0.50] | 5.00 [5.00, 5.00] | 1.80 [1.80, 1.80] |",
        "| SST-2 | 0.50 [0.50, 0.50] | 5.00 [5.00, 5.00] | 1.80 [1.80, 1.80] |",
    ]


class Here:
    """`processes.start_fresh` without processes."""

    def __enter__(self):
        return lambda function, *arguments: function(*arguments)

    def __exit__(self, *error):
        return False


def test_a_killed_measurement_is_one_line():
    with (
        processes.start_fresh(imported=False) as call,
        pytest.raises(MaskTuneError, match="_exit was killed, probably"),
    ):
        call(os._exit, 1)


def test_cells_side_by_side_wait_for_each_other():
    speed = sharing.train_together(2, MINIATURE, "SST-2", lengths.read_counts("SST-2"))
    assert speed > 0


def test_a_cell_that_fails_lets_the_others_go(monkeypatch):
    barrier = threading.Barrier(2)
    monkeypatch.setattr(sharing, "AT_ONCE", barrier)
    monkeypatch.setattr(measure, "train", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sharing._train_one(MINIATURE, lengths.read_counts("SST-2"), 0)
    assert barrier.broken


@pytest.mark.parametrize(
    "work", [(grid.measure_planning, 60), (grid.measure_gathering, 6, 10), (grid.measure_tables, 60, 3, 3)]
)
def test_the_grid_is_measured(work, monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    function, *size = work
    found = function(*size)
    assert found["seconds"] > 0 and found["peak_bytes"] > 1e7


def test_the_made_up_study_is_one_that_gather_could_have_written(monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    grid._store_gathered(tmp_path / "made_up", 60, 3, 2)
    assert set(gather.files("made_up")) == {path for path in (tmp_path / "made_up").rglob("*") if path.is_file()}
    found = results.of(*gather.read("made_up"))
    assert not found.differences.empty and not found.variants.empty


def test_the_command_stores_what_it_prints(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(processes, "start_fresh", lambda imported: Here())
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))
    assert command.main(["--quick", "--only", "grid", "--output", str(tmp_path / "bench")]) == 0
    stored = pandas.read_csv(tmp_path / "bench" / "grid.csv")
    assert len(stored) == 6
    assert stored["work"][0] in capsys.readouterr().out


def test_what_is_stored_of_the_machine_names_nobody(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "run", lambda *arguments: (made_up().to_dict("records"), {"fp32": 1e11, "bf16": 2e11}))
    assert command.main(["--quick", "--only", "steps", "--output", str(tmp_path)]) == 0
    machine = json.loads((tmp_path / "machine.json").read_text())
    assert machine["cores"] >= 1 and machine["memory_bytes"] > 1e8 and machine["processor"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "measurements.csv", "step_cost.csv", "headline.csv", "headline.md", "machine.json",
    }  # fmt: skip
