"""Hours of training from measured steps: the arithmetic, what is not measured, and how to measure it."""

import json

import pytest

from masktune.data.catalogue import CARDS
from masktune.study.design.load import parse_study
from masktune.study.plan import listing, throughput

HEAD = "size,lengths,arm,precision,ms_per_example\n"
TABLE = {
    "name": "small", "data": "real", "tasks": ["sentiment"], "seeds": 2, "training": {"epochs": 3},
    "models": {"base": {"checkpoint": "google-bert/bert-base-uncased", "revision": "a" * 40}},
    "grid": [
        {"label": "fine-tuning", "method": "fine_tuning"},
        {"label": "Mask-tuning", "method": "mask_tuning"},
        {"label": "R-Drop", "method": "r_drop"},
    ],
}  # fmt: skip


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Stores a measurement of BERT-base's shape: of the machine, or of its GPU."""
    monkeypatch.setenv("MASKTUNE_RESULTS", str(tmp_path))

    def measure(plain, ours, gpu=None):
        folder = tmp_path / "bench" / ("gpu" if gpu else "")
        folder.mkdir(parents=True, exist_ok=True)
        rows = [f"base,SST-2,(c) our fine-tuning,bf16,{plain}", f"base,SST-2,(d) our Mask-tuning,bf16,{ours}"]
        (folder / "step_cost.csv").write_text(HEAD + "\n".join(rows) + "\n")
        machine = {"processor": "Abacus", "cores": 2, "gpu": gpu}
        (folder / "machine.json").write_text(json.dumps(machine))

    return measure


def described(study):
    return throughput.describe(study.cells, {cell.id: len(cell.seeds) for cell in study.cells})


def test_hours_are_steps_times_examples_epochs_and_runs(bench):
    bench(50.0, 80.0)
    study = parse_study(TABLE)
    [machine] = throughput.read()
    examples = CARDS["glue/sst2/train"].rows
    seconds = [machine.train_seconds(cell) for cell in study.cells]
    # R-Drop reads each example twice.
    assert seconds == pytest.approx([examples * 3 * each / 1000 for each in (50.0, 80.0, 100.0)])
    hours = 2 * sum(seconds) / 3600
    assert described(study)[0] == (
        f"training alone on 2 cores of Abacus, by measured steps: about {hours:,.0f} h, one run after another"
    )


def test_a_gpu_that_was_not_measured_is_said_with_the_command(bench):
    bench(50.0, 80.0)
    study = parse_study(TABLE)
    told = "training on a GPU: not measured; `python -m benchmarks --only steps` on one takes minutes"
    assert described(study)[1].startswith(told) and told in listing.plan(study, lambda cell: True)
    bench(0.5, 0.8, gpu="A card")
    lines = described(study)
    assert [line.partition(",")[0] for line in lines] == [
        "training alone on 2 cores of Abacus",
        "training alone on A card",
    ]


def test_a_model_of_another_shape_is_not_guessed(bench):
    bench(50.0, 80.0)
    study = parse_study({**TABLE, "models": {"other": {"checkpoint": "some/bert-large", "revision": "a" * 40}}})
    assert described(study)[0] == "training on 2 cores of Abacus: not measured for these models"


def test_data_made_on_the_spot_and_finished_runs_need_no_estimate(bench):
    embedded = {**TABLE, "data": "embedded", "models": {"bert": {"checkpoint": "embedded:bert"}}}
    assert described(parse_study(embedded)) == []
    assert throughput.describe(parse_study(TABLE).cells, {}) == []


@pytest.mark.parametrize(
    ("checkpoint", "shape"),
    [
        ("google-bert/bert-base-uncased", "base"), ("FacebookAI/roberta-base", "base"), ("facebook/bart-base", "base"),
        ("google/bert_uncased_L-12_H-768_A-12", "base"), ("google/bert_uncased_L-2_H-128_A-2", "tiny"),
        ("bert-tiny-splade", "tiny"), ("all-minilm-l6-v2-fp16", "MiniLM"), ("google/bert_uncased_L-4_H-256_A-4", None),
    ],
)  # fmt: skip
def test_which_shape_a_checkpoint_has(checkpoint, shape):
    assert throughput.shape_of(checkpoint) == shape
