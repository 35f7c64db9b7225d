"""masktune train from the file to the folder: what is in it, that it goes on, and that nothing is mixed."""

import json
import re
import shutil

import numpy as np
import pytest
from transformers import AutoTokenizer, pipeline

from masktune import MaskTuneError, files
from masktune.__main__ import main
from masktune.own import inputs, job, seed
from masktune.own.commands import quiet
from masktune.own.data import split
from masktune.own.settings import Settings
from masktune.own.stored import MODEL

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def no_bars():
    quiet()


@pytest.fixture
def settings(own_files, checkpoints, tmp_path):
    return maker(own_files, checkpoints, tmp_path)


def maker(own_files, checkpoints, tmp_path):
    def make(**changed):
        given = {
            "file": str(own_files["train"]), "output": str(tmp_path / "out"), "model": str(checkpoints["bert"]),
            "text": ("review",), "label": "stars", "ood": (str(own_files["other"]),), "compare": ("fine_tuning",),
            "seeds": 2, "epochs": 2, "learning_rate": 5e-3, "batch_size": 16, "device": "cpu", "precision": "fp32",
        }  # fmt: skip
        return Settings(**{**given, **changed})

    return make


@pytest.fixture(scope="module")
def trained_once(own_files, checkpoints, tmp_path_factory):
    place = tmp_path_factory.mktemp("trained")
    return job.train(maker(own_files, checkpoints, place)(), say=lambda line: None)


@pytest.fixture
def trained(trained_once, settings):
    """A copy of a finished training where `settings` have it: each test does to it what it likes."""
    folder, results = trained_once
    shutil.copytree(folder.place, settings().output)
    return job.Folder(settings().output), results


def test_the_folder_holds_a_plain_classifier_its_card_a_page_and_the_numbers(trained, settings):
    folder, results = trained
    classify = pipeline("text-classification", str(folder.model))
    assert classify("word2 word9")[0]["label"] in ("bad", "fair", "good")
    assert "not the authors' code" in (folder.model / "README.md").read_text()
    page = folder.report.read_text()
    assert "Differences" in page and "out of distribution" in page and "reviews.csv" in page
    numbers = json.loads(folder.results.read_text())
    assert [part["name"] for part in numbers["parts"]] == ["test", "other"]
    assert not list(folder.place.rglob(".*")) and not list(folder.place.glob(f"runs/*/*/{MODEL}"))
    by_seed = results.parts[0].methods["recommended"].by_seed
    assert len(by_seed) == 2 and results.chosen.accuracy == by_seed[results.chosen.seed]


def test_the_model_that_is_handed_over_gives_the_stored_logits_of_the_chosen_run(trained, settings):
    folder, results = trained
    from transformers import AutoModelForSequenceClassification

    given = inputs.load(settings())
    model = AutoModelForSequenceClassification.from_pretrained(folder.model)
    tokenizer = AutoTokenizer.from_pretrained(folder.model)
    logits = seed.predict(model, tokenizer, given.encoded["test"], 16)
    stored = folder.read("recommended", results.chosen.seed)
    np.testing.assert_allclose(logits, stored.logits["test"], atol=1e-5)
    assert stored.score == max(point["score"] for point in stored.curve)
    assert len(stored.curve) == 2 and stored.curve[stored.epoch - 1]["score"] == stored.score


def test_both_methods_read_the_same_parts_and_share_their_seeds(trained, settings):
    given = inputs.load(settings())
    assert list(given.data.parts) == [*split.PARTS, "other"]
    assert len(given.data.whole) == 151 and given.data.whole.left_out == {"no text": 1, "no label": 1}
    folder, _ = trained
    for number in (0, 1):
        own, other = (folder.read(method, number) for method in ("recommended", "fine_tuning"))
        assert own.logits.keys() == other.logits.keys() == {"validation", "test", "other"}
        assert own.perturbed["texts"] == len(given.data.parts["train"]) and own.perturbed["masked"] > 0
        assert other.perturbed is None


def count_trainings(monkeypatch):
    made, own = [], seed.train_seed

    def train_seed(inputs, key, number, folder, prepared):
        made.append((key, number))
        return own(inputs, key, number, folder, prepared)

    monkeypatch.setattr(seed, "train_seed", train_seed)
    return made


def test_the_same_command_trains_nothing_again_and_more_seeds_and_methods_are_added(trained, settings, monkeypatch):
    folder, results = trained
    made = count_trainings(monkeypatch)
    before = files.file_digest(folder.model / "model.safetensors")
    _, again = job.train(settings(), say=lambda line: None)
    assert made == [] and again == results
    assert files.file_digest(folder.model / "model.safetensors") == before
    _, more = job.train(settings(seeds=3, compare=("fine_tuning", "r_drop")), say=lambda line: None)
    assert made == [("r_drop", 0), ("r_drop", 1), ("recommended", 2), ("fine_tuning", 2), ("r_drop", 2)]
    assert more.parts[0].methods["recommended"].by_seed[:2] == results.parts[0].methods["recommended"].by_seed
    with pytest.raises(MaskTuneError, match="has 3 seeds; ask for --seeds 3 or more"):
        job.train(settings(seeds=1), say=lambda line: None)


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"alpha": 0.3}, "alpha was not given, now 0.3"), ({"epochs": 3}, "epochs was not given, now 3")],
)
def test_a_changed_command_does_not_mix(trained, settings, changed, message):
    if "epochs" in changed:
        message = "epochs was 2, now not given"
    with pytest.raises(MaskTuneError, match=message):
        job.train(settings(**changed), say=lambda line: None)


def test_changed_data_do_not_mix(trained, settings, own_files, tmp_path):
    (tmp_path / "reviews.csv").write_text(own_files["train"].read_text() + "word1 word30 word31,fair\n")
    with pytest.raises(MaskTuneError, match="data: train was .*, now "):
        job.train(settings(file=str(tmp_path / "reviews.csv")), say=lambda line: None)


def test_after_ctrl_c_finished_seeds_are_kept_and_the_command_goes_on(settings, monkeypatch, capsys):
    own = seed.train_seed

    def interrupted(inputs, key, number, folder, prepared):
        if number == 1:
            (folder / "half").write_text("")
            raise KeyboardInterrupt
        return own(inputs, key, number, folder, prepared)

    monkeypatch.setattr(seed, "train_seed", interrupted)
    words = settings().command().split()[1:]
    assert main(words) == 130
    assert "the same command goes on" in capsys.readouterr().err
    place = job.Folder(settings().output)
    assert sorted(path.name for path in place.place.rglob("*seed*")) == ["seed-0", "seed-0"]
    assert not place.report.exists() and not place.model.exists()
    monkeypatch.setattr(seed, "train_seed", own)
    made = count_trainings(monkeypatch)
    assert main(words) == 0
    assert made == [("recommended", 1), ("fine_tuning", 1)]


def test_what_went_on_is_what_one_go_gives(settings, trained_once):
    job.train(settings(seeds=1), say=lambda line: None)
    _, twice = job.train(settings(), say=lambda line: None)
    assert twice == trained_once[1]


def test_class_weights_choose_by_balanced_accuracy_and_the_method_says_so(settings):
    _, results = job.train(settings(class_weights="balanced", seeds=1), say=lambda line: None)
    run = job.Folder(settings().output).read("recommended", 0)
    given = inputs.load(settings(class_weights="balanced", seeds=1))
    part = given.data.parts["validation"]
    labels = np.array([given.label_names.index(label) for label in part.labels])
    answers = run.logits["validation"].argmax(-1)
    recalls = [np.mean(answers[labels == label] == label) for label in np.unique(labels)]
    assert run.score == pytest.approx(np.mean(recalls))
    assert "w_y CE" in given.method("recommended").formula


def test_methods_that_need_features_get_them(settings):
    _, results = job.train(settings(compare=("product_of_experts",), seeds=1, epochs=1), say=lambda line: None)
    assert set(results.parts[0].methods) == {"recommended", "product_of_experts"}


def test_pairs_of_texts_are_read_as_pairs(settings, own_files, tmp_path):
    rows = own_files["train"].read_text().splitlines()
    lines = [f"word7 word8,{row}" for row in rows[1:] if re.fullmatch(r"word[\w ]+,\w+", row)]
    (tmp_path / "pairs.csv").write_text("\n".join(["premise,hypothesis,label", *lines]))
    pair = settings(file=str(tmp_path / "pairs.csv"), text=("premise", "hypothesis"), label=None, ood=(), seeds=1)
    given = inputs.load(pair)
    assert set(given.encoded["train"][0]["token_type_ids"]) == {0, 1}
    folder, _ = job.train(pair, say=lambda line: None)
    assert '"text_pair"' in (folder.model / "README.md").read_text()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "mask_tunning"}, "unknown method 'mask_tunning'"),
        ({"compare": ("finetuning",)}, "did you mean 'fine_tuning'"),
        ({"alpha": 1.0}, "trains no classifier"),
        ({"text": ("text",)}, "no column 'text'; there are review, stars"),
        ({"ood": ("nowhere.csv",)}, "no file 'nowhere.csv'"),
        ({"model": "./nowhere"}, "is no folder here"),
        ({"class_weights": "balanced", "compare": ("product_of_experts",)}, "both replace the classification loss"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_writes_nothing(settings, changed, message, capsys):
    assert main(settings(**changed).command().split()[1:]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not job.Folder(settings().output).place.exists()


def test_a_training_that_diverges_says_what_to_do_and_is_not_kept(settings, monkeypatch, capsys):
    monkeypatch.setattr(seed, "predict", lambda model, tokenizer, rows, batch_size: np.full((len(rows), 3), np.nan))
    assert main(settings(epochs=1, seeds=1).command().split()[1:]) == 2
    assert "seed 0, diverged; try --learning-rate 2e-03" in capsys.readouterr().err
    assert not job.Folder(settings().output).is_done("recommended", 0)
