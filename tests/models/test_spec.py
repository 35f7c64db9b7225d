"""What tells one model from another, for the ids of runs and for everything that is kept in the cache."""

import json
import shutil
from pathlib import Path

import pytest
from datasets import Dataset
from tiny_models import word_tokenizer
from transformers import AutoTokenizer, TrainingArguments

from masktune import cache, data
from masktune.errors import MaskTuneError
from masktune.models import spec as model_spec
from masktune.models.spec import Adaptation, ModelSpec
from masktune.pretraining import checkpoints
from masktune.records import record
from masktune.study.design.cells import Cell
from masktune.training.features import CachedFeatureBuilder

CACHED_FILE = "masktune.training.features.cached_file"


@pytest.fixture
def bert(request) -> Path:
    return request.getfixturevalue("checkpoints")["bert"]


@pytest.fixture(autouse=True)
def named(monkeypatch, tmp_path):
    """Nothing is made: the cache names what it would hold. No mirror, another working folder."""
    monkeypatch.setattr(
        cache, "make_once", lambda kind, name, made_of, make: f"{kind}/{json.dumps(made_of, sort_keys=True)}"
    )
    monkeypatch.setattr(data, "unlabelled", lambda collection, task: ["a text"])
    monkeypatch.delenv("MASKTUNE_MIRROR", raising=False)
    monkeypatch.chdir(tmp_path)


def run_id(place, revision=None) -> str:
    return Cell("small", "x", "real", "sentiment", ModelSpec("m", str(place), revision), "fine_tuning").run_id(0)


def adapted(place, revision=None) -> str:
    return checkpoints.prepare(ModelSpec("m", str(place), revision, Adaptation(steps=1)), "sentiment")


def prepared(place, revision=None) -> str:
    folder = model_spec.folder_of(str(place))
    tokenizer = word_tokenizer("bert") if folder is None else AutoTokenizer.from_pretrained(folder)
    train = Dataset.from_dict({**tokenizer(["word1 word2", "word3"]), "labels": [0, 1]})
    builder = CachedFeatureBuilder(
        train, tokenizer, TrainingArguments("x", report_to="none"), str(place), ("no", "yes"), revision
    )
    return json.dumps(builder._identity(("words", "checkpoint", "training")))


def recorded(place, revision=None) -> str:
    """What a run of a model of the mirror records of it."""
    (Path("mirror") / "models").mkdir(parents=True, exist_ok=True)
    shutil.copytree(place, "mirror/models/same-name", dirs_exist_ok=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MASKTUNE_MIRROR", "mirror")
        found = checkpoints.digests(ModelSpec("m", "same-name"))
        assert list(found) == ["models/same-name"]
    shutil.rmtree("mirror")
    return found["models/same-name"]


def _another_bit(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)


def _another_setting(folder: Path, name: str, **setting) -> None:
    (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | setting))


DIFFERENT = {
    "weights": lambda folder: _another_bit(folder, "model.safetensors"),
    "configuration": lambda folder: _another_setting(folder, "config.json", layer_norm_eps=0.1),
    "tokenizer": lambda folder: _another_setting(folder, "tokenizer.json", normalizer={"type": "Lowercase"}),
    "special tokens": lambda folder: _another_setting(folder, "tokenizer_config.json", sep_token="word1"),
    "vocabulary": lambda folder: (folder / "vocab.txt").write_text("word1\nword0\n"),
    "more weights": lambda folder: (folder / "mlm_head.safetensors").write_bytes(b"a head"),
}
SAME = {
    "as it is": lambda folder: None,
    "state of the trainer": lambda folder: (folder / "trainer_state.json").write_text("{}"),
    "arguments of the trainer": lambda folder: (folder / "training_args.bin").write_bytes(b"when and where"),
    "a word to readers": lambda folder: (folder / "README.md").write_text("mine"),
}


@pytest.mark.parametrize("change", [*DIFFERENT, *SAME])
@pytest.mark.parametrize("key", [run_id, adapted, prepared, recorded])
def test_folders_go_by_what_they_hold_and_not_by_their_name_or_place(bert, tmp_path, key, change):
    """Two that differ never share a run or anything that is kept; the same at another place does."""
    one = shutil.copytree(bert, tmp_path / "one" / "checkpoint-500")
    same_name, other_name = tmp_path / "two" / "checkpoint-500", tmp_path / "moved" / "final"
    for place in (same_name, other_name):
        shutil.copytree(bert, place)
        {**DIFFERENT, **SAME}[change](place)
    assert key(same_name) == key(other_name)
    assert (key(same_name) == key(one)) == (change in SAME)
    assert "checkpoint-500" not in key(one) and str(tmp_path) not in key(one)


@pytest.mark.parametrize("key", [run_id, adapted, prepared])
def test_models_of_the_hub_go_by_their_whole_name_and_their_commit(monkeypatch, key):
    monkeypatch.setattr(CACHED_FILE, lambda name, file, revision: f"snapshots/{revision}/{file}")
    keys = [key(*named) for named in (("one/bert", "a" * 40), ("two/bert", "a" * 40), ("one/bert", "b" * 40))]
    assert len(set(keys)) == 3 and key("one/bert", "a" * 40) == keys[0]


def test_without_a_revision_what_is_kept_goes_by_the_commit_that_is_loaded(monkeypatch):
    keys = []
    for commit in ("a" * 40, "b" * 40):
        monkeypatch.setattr(CACHED_FILE, lambda name, file, revision, commit=commit: f"snapshots/{commit}/{file}")
        keys.append(prepared("one/bert"))
    assert keys[0] != keys[1]


def test_a_relative_folder_is_the_folder_wherever_one_stands(bert, tmp_path, monkeypatch):
    shutil.copytree(bert, tmp_path / "one" / "checkpoint-500")
    before = run_id(tmp_path / "one" / "checkpoint-500")
    assert run_id("one/checkpoint-500") == run_id("./one/checkpoint-500/") == before
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_id("~/one/checkpoint-500") == before
    assert adapted("~/one/checkpoint-500") == adapted("one/checkpoint-500")


def test_a_path_without_a_folder_is_one_line(tmp_path):
    with pytest.raises(
        MaskTuneError, match="checkpoint './nothing' is no folder here; .* name one that save_pretrained"
    ):
        run_id("./nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MaskTuneError, match="the folder 'empty' holds no weights"):
        run_id("empty")


def test_the_content_of_a_folder_is_read_once_a_process(bert, monkeypatch):
    before = run_id(bert)
    monkeypatch.setattr(Path, "open", None)
    assert run_id(bert) == before


def test_pretrainings_take_turns_and_one_is_as_it_always_was():
    one, three = (ModelSpec("bert", "embedded:bert", pretrainings=count) for count in (1, 3))
    assert one == ModelSpec("bert", "embedded:bert") and one.identity == {"checkpoint": "embedded:bert"}
    assert three.identity == {"checkpoint": "embedded:bert", "pretrainings": 3}
    assert [three.pretraining_of(seed) for seed in (0, 1, 2, 3, 1000)] == [0, 1, 2, 0, 1]
    assert {one.pretraining_of(seed) for seed in range(9)} == {0}
    assert record(ModelSpec, three.settings(), "model") == three


def test_the_length_of_a_pretraining_is_part_of_a_model_where_it_is_given():
    long = ModelSpec("bert", "embedded:bert", pretraining_steps=19_200)
    assert long.identity == {"checkpoint": "embedded:bert", "pretraining_steps": 19_200}
    assert record(ModelSpec, long.settings(), "model") == long


def test_what_is_told_of_a_model_is_no_part_of_it():
    told = ModelSpec("bert", "one/bert", "a" * 40, source="a hub", licence="MIT", saw="books")
    assert told.identity == ModelSpec("bert", "one/bert", "a" * 40).identity
    assert record(ModelSpec, told.settings(), "model") == told


def test_a_published_checkpoint_has_one_pretraining(tmp_path):
    with pytest.raises(MaskTuneError, match="^pretrainings = 3; expected 1, as 'one/bert' is one published checkpoint"):
        ModelSpec("bert", "one/bert", pretrainings=3)
    assert ModelSpec("bert", "one/bert", adaptation=Adaptation(steps=1), pretrainings=3).pretraining_of(4) == 1
    with pytest.raises(MaskTuneError, match="^pretrainings = 0; expected 1 or more"):
        ModelSpec("bert", "embedded:bert", pretrainings=0)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"checkpoint": "one/bert"}, "pretraining_steps = 9; expected none, as 'one/bert' is pre-trained already"),
        (
            {"checkpoint": "one/bert", "adaptation": Adaptation(steps=1)},
            "pretraining_steps = 9; expected none, as 'one/bert' is pre-trained already",
        ),
        ({"checkpoint": "embedded:bert", "pretraining_steps": 0}, "pretraining_steps = 0; expected 1 or more"),
    ],
)
def test_only_an_embedded_model_is_pretrained_for_a_number_of_steps(settings, complaint):
    with pytest.raises(MaskTuneError, match=f"^{complaint}"):
        ModelSpec("bert", **{"pretraining_steps": 9, **settings})
