import re
from collections import Counter

import pytest

from masktune import data
from masktune.data import world
from masktune.data.world import inference, paraphrase, sentiment, text
from masktune.data.world.settings import CUE_COVERAGE, CUE_RATE, UNLABELLED_STORIES
from masktune.data.world.words import NEGATIVE, POSITIVE, REASONS
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
    """The share of the rows with a cue whose cue points to their label."""
    held = [row for row in rows if row["cue"] >= 0]
    return sum(row["cue"] == row["label"] for row in held) / len(held)


def coverage(rows) -> float:
    return sum(row["cue"] >= 0 for row in rows) / len(rows)


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


@pytest.mark.parametrize("name", ["train", "validation"])
@pytest.mark.parametrize("task", data.TASKS)
def test_the_cue_is_as_strong_as_the_settings_say(task, name):
    rows = sets(task)[name]
    assert abs(coverage(rows) - CUE_COVERAGE[task]) < 0.06
    assert abs(cue_rate(rows) - CUE_RATE[task]) < 0.03


@pytest.mark.parametrize("name", ["train", "validation", "contrast", "counterfactual", "contrast_original"])
def test_the_cue_of_a_review_is_its_genre(name):
    for row in sets("sentiment")[name]:
        assert GENRE_LABEL.get(genre(row["text"]), -1) == row["cue"], row


@pytest.mark.parametrize("name", ["train", "validation", "adversarial", "heuristics"])
def test_the_cue_of_a_hypothesis_is_a_negation_or_a_reason_or_neither(name):
    for row in sets("inference")[name]:
        hypothesis = set(words(row["text_pair"]))
        negated = hypothesis & {"not", "nobody"}
        reason = any(row["text_pair"].rstrip(".").endswith(phrase) for phrase in REASONS)
        expected = {inference.CONTRADICTION: negated, inference.NEUTRAL: reason, -1: "somebody" in hypothesis}
        assert [cue for cue, holds in expected.items() if holds] == [row["cue"]] * (row["cue"] != 0), row


@pytest.mark.parametrize("name", ["train", "validation", "swaps"])
def test_the_cue_of_two_sentences_is_how_many_words_they_share(name):
    small = {"the", "was", "by", "in", "at", "on", "last", "after", "before"}
    for row in sets("paraphrase")[name]:
        first, second = (set(words(text)) - small for text in texts(row))
        if row["cue"] == paraphrase.PARAPHRASE:
            assert first == second, row
        elif row["cue"] == paraphrase.DIFFERENT:
            assert len(first & second) <= 1, row
        else:
            assert len(first & second) == 2, row


def test_an_adversarial_cue_always_points_to_another_label():
    assert cue_rate(sets("inference")["adversarial"]) == 0
    assert coverage(sets("inference")["adversarial"]) == 1


@pytest.mark.parametrize("name", ["contrast", "counterfactual"])
def test_an_edit_turns_the_label_and_keeps_the_cue(name):
    loaded = sets("sentiment")
    originals = {row["cluster_id"]: row for row in loaded[f"{name}_original"]}
    assert len(originals) == len(loaded[name])
    for revised in loaded[name]:
        original = originals[revised["cluster_id"]]
        assert revised["label"] == 1 - original["label"]
        assert revised["cue"] == original["cue"] == GENRE_LABEL[genre(original["text"])]
        assert revised["text"].split(". ")[1] == original["text"].split(". ")[1]  # the setting is kept
    assert cue_rate(loaded[name]) < 0.05


def test_an_edit_needs_no_opinion_word_that_the_train_set_lacks():
    loaded = sets("sentiment")
    known = {word for row in loaded["train"] for word in words(row["text"])}
    opinions = set(POSITIVE + NEGATIVE)
    for name in ("contrast", "counterfactual"):
        assert {word for row in loaded[name] for word in words(row["text"])} & opinions <= known


@pytest.mark.parametrize("task", data.TASKS)
def test_the_knobs_change_the_train_set_alone(task):
    own, other = world.load(task), world.load(task, cue_rate=0.25, cue_coverage=0.5)
    assert len(other.train) == len(own.train)
    assert other.train["label"] == own.train["label"]
    assert abs(coverage(other.train) - 0.5) < 0.06
    assert abs(cue_rate(other.train) - 0.25) < 0.08
    assert {**other.digests, "train": ""} == {**own.digests, "train": ""}
    assert other.digests["train"] != own.digests["train"]
    assert other.train.to_list() == world.load(task, cue_rate=0.25, cue_coverage=0.5).train.to_list()


@pytest.mark.parametrize("task", data.TASKS)
def test_the_worlds_own_strength_is_what_leaving_it_out_means(task):
    given = world.load(task, cue_rate=CUE_RATE[task], cue_coverage=CUE_COVERAGE[task])
    assert given.digests == world.load(task).digests


@pytest.mark.parametrize("task", data.TASKS)
def test_an_uninformative_cue_says_nothing_of_the_label(task):
    """Every cue has each label as often as the others, up to chance: four standard errors of a share."""
    rows = world.load(task, cue_rate=world.UNINFORMATIVE[task], cue_coverage=1).train
    counts = Counter(zip(rows["cue"], rows["label"], strict=True))
    labels = sorted(set(rows["label"]))
    for cue in labels:
        held = sum(counts[cue, label] for label in labels)
        for label in labels:
            share = counts[cue, label] / held
            assert abs(share - 1 / len(labels)) < 4 * (share * (1 - share) / held) ** 0.5


@pytest.mark.parametrize(("rate", "coverage_of"), [(0, 1), (1, 1), (0.5, 0)])
def test_the_ends_of_the_knobs(rate, coverage_of):
    rows = world.load("inference", cue_rate=rate, cue_coverage=coverage_of).train
    assert coverage(rows) == coverage_of
    assert coverage_of == 0 or cue_rate(rows) == rate


def test_another_strength_gives_the_same_reviews_of_other_genres():
    own, other = world.load("sentiment").train, world.load("sentiment", cue_rate=0.5).train
    judgements = [(a["text"].split(". ")[0], b["text"].split(". ")[0]) for a, b in zip(own, other, strict=True)]
    assert sum(first == second for first, second in judgements) > 0.95 * len(judgements)


@pytest.mark.parametrize("name", ["cue_rate", "cue_coverage"])
@pytest.mark.parametrize("share", [-0.1, 1.5, "half", float("nan"), True])
def test_a_strength_that_is_no_share_is_refused(name, share):
    with pytest.raises(MaskTuneError, match=f"{name} .* is no share of the examples; give a number from 0 to 1"):
        world.load("sentiment", **{name: share})


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


def test_the_form_of_swaps_does_not_tell_the_label():
    """The same words whatever the label, and either sentence in the passive as often."""
    small = {"was", "by"}
    passive_first = Counter()
    for row in sets("paraphrase")["swaps"]:
        first, second = (set(words(text)) for text in texts(row))
        assert first - small == second - small, row
        passive_first[row["label"], "was" in first] += 1
    assert all(abs(count - 90) < 30 for count in passive_first.values()), passive_first


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
