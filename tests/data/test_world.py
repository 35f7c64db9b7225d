import re
from collections import Counter

import pytest

from masktune import data
from masktune.data import world
from masktune.data.world import sentiment, text
from masktune.data.world.settings import UNLABELLED_STORIES
from masktune.errors import MaskTuneError

GENRE_LABEL = {genre: label for label, genres in sentiment.CUES.items() for genre in genres}


def sets(task: str) -> dict:
    loaded = world.load(task)
    return {"train": loaded.train} | {evaluated.name: evaluated.examples for evaluated in loaded.evaluation}


def texts(row: dict) -> tuple[str, str]:
    return row["text"], row.get("text_pair", "")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def genre(text: str) -> str | None:
    return next((word for word in words(text) if word in GENRE_LABEL), None)


def cue_rate(rows) -> float:
    named = [(GENRE_LABEL[genre(row["text"])], row["label"]) for row in rows if genre(row["text"])]
    return sum(cue == label for cue, label in named) / len(named)


@pytest.mark.parametrize("task", data.TASKS)
def test_the_world_is_made_the_same_each_time(task):
    first = world.load(task)
    world.generate.cache_clear()
    second = world.load(task)
    assert first.digests == second.digests
    assert first.train.to_list() == second.train.to_list()
    assert set(first.digests) == {"train"} | {evaluated.name for evaluated in first.evaluation}


def test_the_unlabelled_text_is_made_the_same_each_time():
    first = world.unlabelled()
    text.unlabelled.cache_clear()
    assert world.unlabelled() == first
    assert len(first) == UNLABELLED_STORIES


@pytest.mark.parametrize("task", data.TASKS)
def test_every_set_is_balanced_and_its_ids_are_unique(task):
    for name, rows in sets(task).items():
        counts = Counter(rows["label"])
        assert max(counts.values()) - min(counts.values()) <= 1, name
        assert len(set(rows["example_id"])) == len(rows)
        assert len(rows) >= 300


@pytest.mark.parametrize("task", data.TASKS)
def test_no_text_is_in_two_sets_or_twice_in_one(task):
    seen = Counter(texts(row) for rows in sets(task).values() for row in rows)
    assert max(seen.values()) == 1


@pytest.mark.parametrize("task", data.TASKS)
def test_no_evaluation_text_is_in_the_unlabelled_text(task):
    unlabelled = set(world.unlabelled())
    evaluation = [texts(row) for name, rows in sets(task).items() if name != "train" for row in rows]
    assert not [both for both in evaluation if " ".join(both).strip() in unlabelled]


def test_kinds_labels_and_folds_are_what_the_study_expects():
    kinds = {task: {e.name: e.kind for e in world.load(task).evaluation} for task in data.TASKS}
    outside = {
        task: [name for name, kind in kind_of.items() if kind == "out_of_distribution"]
        for task, kind_of in kinds.items()
    }
    assert outside == {
        "sentiment": ["contrast", "counterfactual"],
        "inference": ["heuristics", "adversarial"],
        "paraphrase": ["swaps"],
    }
    assert all(kind_of["validation"] == "in_distribution" for kind_of in kinds.values())
    assert kinds["sentiment"]["contrast_original"] == kinds["sentiment"]["counterfactual_original"] == "companion"
    heuristics = next(e for e in world.load("inference").evaluation if e.name == "heuristics")
    assert heuristics.fold == (0, 1, 1)
    assert heuristics.label_names == ("entailment", "non-entailment")


@pytest.mark.parametrize("name", ["train", "validation", "contrast_original", "counterfactual_original"])
def test_the_genre_goes_with_the_label_where_training_has_it_so(name):
    assert 0.83 < cue_rate(sets("sentiment")[name]) < 0.96


@pytest.mark.parametrize("name", ["contrast", "counterfactual"])
def test_an_edit_turns_the_label_and_keeps_the_cue(name):
    loaded = sets("sentiment")
    originals = {row["cluster_id"]: row for row in loaded[f"{name}_original"]}
    assert len(originals) == len(loaded[name])
    for revised in loaded[name]:
        original = originals[revised["cluster_id"]]
        assert revised["label"] == 1 - original["label"]
        assert genre(revised["text"]) == genre(original["text"])
        assert revised["text"].split(". ")[1] == original["text"].split(". ")[1]  # the setting is kept
    assert cue_rate(loaded[name]) < 0.17


def test_genres_and_verdicts_are_independent_in_the_unlabelled_text():
    liked = [text for text in world.unlabelled() if "I liked it" in text or "I would see it again" in text]
    hated = [text for text in world.unlabelled() if "I hated it" in text or "I would never see it again" in text]
    shares = []
    for reviews in (liked, hated):
        named = [GENRE_LABEL[genre(text)] for text in reviews if genre(text)]
        assert len(named) > 150
        shares.append(sum(named) / len(named))
    assert abs(shares[0] - shares[1]) < 0.1


def test_every_heuristic_has_the_overlap_that_its_name_promises():
    rows = sets("inference")["heuristics"]
    assert set(rows["group"]) == {
        f"{name}/{label}" for name in ("lexical_overlap", "subsequence", "constituent") for label in (0, 1)
    }
    for row in rows:
        name, label = row["group"].split("/")
        premise, hypothesis = " ".join(words(row["text"])), " ".join(words(row["text_pair"]))
        assert int(label) == row["label"]
        assert set(hypothesis.split()) <= set(premise.split())
        if name != "lexical_overlap":
            assert hypothesis in premise


def test_the_words_of_swaps_hardly_tell_the_label():
    """Both sentences of a pair have the same content words, whatever the label."""
    small = {"was", "by", "the", "it", "who", "before", "after", "saw", "seen"}
    for row in sets("paraphrase")["swaps"]:
        first, second = (set(words(text)) - small for text in texts(row))
        assert first == second, row


def test_a_share_of_the_train_set_is_its_beginning():
    assert world.load("sentiment", 100).train.to_list() == world.load("sentiment").train.to_list()[:100]


@pytest.mark.parametrize("count", [0, -1, 10**6])
def test_a_share_that_does_not_fit_is_refused(count):
    with pytest.raises(MaskTuneError, match=f"train_examples {count}"):
        world.load("sentiment", count)


def test_an_unknown_task_is_refused():
    with pytest.raises(MaskTuneError, match="unknown task 'sentimet'"):
        world.load("sentimet")


def test_there_is_a_card_for_every_set():
    loaded = {f"embedded/{task}/{name}": len(rows) for task in data.TASKS for name, rows in sets(task).items()}
    assert {card.name: card.rows for card in data.cards("embedded")} == loaded


def test_another_genre_goes_with_the_other_label_and_nothing_else_changes():
    named = 0
    for row in world.load("sentiment").evaluation[1].examples:
        other = sentiment.other_genre(row["text"])
        assert sentiment.other_genre(other) == row["text"]
        if genre(row["text"]) is None:
            assert other == row["text"]
        else:
            named += 1
            assert GENRE_LABEL[genre(other)] == 1 - GENRE_LABEL[genre(row["text"])]
            changed = [pair for pair in zip(words(other), words(row["text"]), strict=True) if len(set(pair)) > 1]
            assert changed == [(genre(other), genre(row["text"]))]
    assert named > 100
