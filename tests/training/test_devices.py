"""Two processes, as `torchrun` starts them, train as one process does that has the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import processes
import pytest
import torch
from encoders import masked_language_model, tokenizer_of
from safetensors.torch import load_file
from tiny_models import WORDS
from tiny_runs import weights
from transformers import AutoModelForSequenceClassification

from masktune.models.masked_lm import load_masked_lm

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


@pytest.fixture
def changed_script(tmp_path):
    """The script of a user of transformers, changed in one line, and its texts."""
    script = (TESTS / "script.py").read_text()
    changed = script.replace("trainer = Trainer(", "trainer = MaskTuningTrainer(")
    assert changed != script
    (tmp_path / "script.py").write_text("from masktune import MaskTuningTrainer\n" + changed)
    texts = [{"text": " ".join(WORDS[number % 7 :][:6]), "labels": number % 3} for number in range(21)]
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    return tmp_path / "script.py", tmp_path / "texts.json"


def test_a_script_changed_in_one_line_runs_by_either_launcher_and_resumes(checkpoints, tmp_path, changed_script):
    """The run by torchrun, and the one that accelerate resumes from the middle of it, end with the same weights."""
    script, texts = changed_script
    given = [script, checkpoints["bert"], texts]
    launch([*given, tmp_path / "straight"], *TORCHRUN)
    launch([*given, tmp_path / "resumed", tmp_path / "straight" / "checkpoint-2"], *ACCELERATE)
    ends = [torch_load(tmp_path / folder / "checkpoint-4") for folder in ("straight", "resumed")]
    assert ends[0].keys() == ends[1].keys() and len(ends[0]) > 40
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "straight").config.num_labels == 3


@pytest.mark.proof
@pytest.mark.parametrize("model_type", ["roberta", "camembert", "albert", "electra", "mpnet", "deberta-v2"])
def test_the_changed_script_runs_in_two_processes_with_other_encoders(tmp_path, changed_script, model_type):
    script, texts = changed_script
    masked_language_model(model_type).save_pretrained(tmp_path / "checkpoint")
    tokenizer_of(model_type).save_pretrained(tmp_path / "checkpoint")
    launch([script, tmp_path / "checkpoint", texts, tmp_path / "trained"], *TORCHRUN)
    before, after = (load_masked_lm(tmp_path / folder).model.state_dict() for folder in ("checkpoint", "trained"))
    moved = [name for name, value in after.items() if not torch.equal(value, before[name])]
    assert len(moved) > 10, "both heads and the encoder are trained"


def torch_load(folder):
    """Every tensor of a checkpoint, the language model's too."""
    return {name: value for file in folder.glob("*.safetensors") for name, value in load_file(file).items()}
