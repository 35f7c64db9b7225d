"""Two processes, as `torchrun` starts them, train as one process does that has the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import processes
import pytest
import torch
from safetensors.torch import load_file
from tiny_models import WORDS
from tiny_runs import weights
from transformers import AutoModelForSequenceClassification

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]


def launch(arguments, *launcher):
    """Run a script in two processes on the CPU. Raises with what they print where one fails."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    command = [sys.executable, "-m", *launcher, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")


@pytest.fixture(scope="module")
def together(checkpoints, tmp_path_factory):
    """The folder of what two processes made of every case."""
    folder = tmp_path_factory.mktemp("together")
    folders = json.dumps({family: str(path) for family, path in checkpoints.items()})
    launch([TESTS / "processes.py", folders, folder, *processes.CASES], *TORCHRUN)
    return folder


@pytest.mark.parametrize("name", processes.CASES)
def test_two_processes_train_as_one_with_the_whole_batch(together, checkpoints, tmp_path, name):
    alone = processes.train(checkpoints, tmp_path, name, processes=1)
    first, second = (json.loads((together / f"{name}.{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    expected = processes.logged(alone)
    assert len(first["logged"]) == len(expected)
    for number, (entry, other) in enumerate(zip(first["logged"], expected, strict=True)):
        assert entry == pytest.approx(other, rel=1e-3, abs=1e-5), number
    predictions = alone.predict(alone.eval_dataset).predictions
    torch.testing.assert_close(torch.tensor(first["predictions"]), torch.from_numpy(predictions), rtol=1e-3, atol=1e-4)
    here, there = weights(alone), [torch.load(together / f"{name}.{rank}.weights") for rank in (0, 1)]
    for parameter, value in here.items():
        assert torch.equal(there[0][parameter], there[1][parameter])
        torch.testing.assert_close(there[0][parameter], value, rtol=1e-3, atol=1e-5)


# Of `--cpu --num_processes 2` accelerate makes one process, unless mpirun is there; with this it is torchrun's.
ACCELERATE = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")


def test_a_script_changed_in_one_line_runs_by_either_launcher_and_resumes(checkpoints, tmp_path):
    """The run by torchrun, and the one that accelerate resumes from the middle of it, end with the same weights."""
    script = (TESTS / "script.py").read_text()
    changed = script.replace("trainer = Trainer(", "trainer = MaskTuningTrainer(")
    assert changed != script
    (tmp_path / "script.py").write_text("from masktune import MaskTuningTrainer\n" + changed)
    texts = [{"text": " ".join(WORDS[number % 7 :][:6]), "labels": number % 3} for number in range(21)]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    given = [tmp_path / "script.py", checkpoints["bert"], tmp_path / "texts.json"]
    launch([*given, tmp_path / "straight"], *TORCHRUN)
    launch([*given, tmp_path / "resumed", tmp_path / "straight" / "checkpoint-2"], *ACCELERATE)
    ends = [torch_load(tmp_path / folder / "checkpoint-4") for folder in ("straight", "resumed")]
    assert ends[0].keys() == ends[1].keys() and len(ends[0]) > 40
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "straight").config.num_labels == 3


def torch_load(folder):
    """Every tensor of a checkpoint, the language model's too."""
    return {name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()}
