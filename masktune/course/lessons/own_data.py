"""Lesson C8, "Your own data": a file of reviews as people hand it in, masktune's commands in a cell, and the checks."""

from __future__ import annotations

import contextlib
import math
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from random import Random
from typing import Any

import datasets
import pandas
from transformers import AutoModelForSequenceClassification, AutoTokenizer, TrainingArguments

from masktune.course.grading import check_of, expect
from masktune.course.lessons.hide_and_refill import genre, judgement, verdict
from masktune.course.training import LABELS, pretrained
from masktune.data import world
from masktune.data.world.sentiment import CUES, FAMILIAR, JUDGEMENTS, words
from masktune.data.world.words import NEGATIVE, POSITIVE
from masktune.errors import MaskTuneError
from masktune.files import write_file
from masktune.statistics.intervals import wilson
from masktune.streams import derive
from masktune.training.trainer import MaskTuningTrainer

VERDICTS = ("blame", "praise")
KNOWN_OPINIONS = (*POSITIVE[:FAMILIAR], *NEGATIVE[:FAMILIAR])  # the others are in no train review of the world
ROWS, TWICE, OTHERWISE, EMPTY, CAPITALS = 800, 15, 6, 9, 40  # reviews; rows with each fault
PAIRS, MOST_CHANGES = 20, 4  # the student's; words that may differ within one
FEWEST_KINDS, FEWEST_OF_A_SIDE = 3, 5  # kinds of judgement; films of the genres of praise, and of blame
FEWEST_WORDS = 6  # of a reason
PAIRS_KEY = "pairs"


def in_terminal(line: str) -> None:
    """Run a command of masktune as it stands, in this process: what a terminal would show stands below the cell.

    Raises MaskTuneError for the line of another program, and where the command was refused.
    """
    from masktune.__main__ import main  # the command line; its other commands need what a lesson does without

    program, *arguments = shlex.split(line)
    if program != "masktune":
        raise MaskTuneError(f"{program!r}: expected a command of masktune, such as `masktune check reviews.csv`")
    with contextlib.redirect_stderr(sys.stdout):  # bars and messages, which a notebook shows as if they were errors
        status = main(arguments)
    if status == 2:
        raise MaskTuneError(f"`{line}` was refused; the line above says why")


def write_reviews(file: Path, seed: int) -> None:
    """Write reviews of the world to a CSV with the columns `review` and `verdict`, with the faults of files by hand.

    Some rows are there twice, some texts have two verdicts, some rows have none, and some verdicts are written
    with a capital letter. `seed` chooses the reviews, their order, and where the faults are.
    """
    random = Random(derive(seed, "reviews of lesson C8"))
    rows = random.sample(_reviews(), ROWS)
    random.shuffle(rows)
    rows += [random.choice(rows) for _ in range(TWICE)]
    rows += [(text, VERDICTS[1 - VERDICTS.index(label)]) for text, label in random.sample(rows, OTHERWISE)]
    places = random.sample(range(ROWS), EMPTY + CAPITALS)
    for place in places[:EMPTY]:
        rows[place] = (rows[place][0], "")
    for place in places[EMPTY:]:
        rows[place] = (rows[place][0], rows[place][1].capitalize())
    write_file(file, pandas.DataFrame(rows, columns=["review", "verdict"]).to_csv(index=False))


def _reviews() -> list[tuple[str, str]]:
    """The world's reviews in distribution, in which the genre never errs, and what each says."""
    task = world.load("sentiment", cue_rate=1.0)
    validation = next(each.examples for each in task.evaluation if each.name == "validation")
    return [
        (text, VERDICTS[label])
        for rows in (task.train, validation)
        for text, label in zip(rows["text"], rows["label"], strict=True)
    ]


@check_of("mend")
def check_mend(mend: Callable[[pandas.DataFrame], pandas.DataFrame]) -> None:
    """The rows that can be trained on: a verdict, in lower case, and each text once, where its rows agree."""
    verdicts = ["praise", "Blame", None, "blame", "praise", "Blame", "blame"]
    given = pandas.DataFrame({"review": list("abcbdde"), "verdict": verdicts})
    before = given.copy()
    found = mend(given)
    expect(isinstance(found, pandas.DataFrame), f"return the whole frame; yours is {type(found).__name__}")
    expect(given.equals(before), "leave the frame that you are given as it is, and return another")
    expect(list(found.columns) == ["review", "verdict"], f"keep the two columns; yours has {list(found.columns)}")
    expect(not found["verdict"].isna().any(), "a row without a verdict is still there; nobody knows what it should say")
    odd = sorted(set(found["verdict"]) - set(VERDICTS))
    expect(not odd, f"{odd} are more names for the same two classes; write all in lower case")
    texts = list(found["review"])
    expect("d" not in texts, "a text with two verdicts is still there; no model is right on both of its rows")
    expect("b" in texts, "'Blame' and 'blame' are one verdict: lower case comes BEFORE the search for two verdicts")
    expect(texts.count("b") == 1, "a text is still there twice")
    expect(texts == ["a", "b", "e"], f"of the check's texts a, b and e can stay, in this order; yours are {texts}")


@check_of("Your list of pairs")
def check_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Twenty pairs (praise, blame) about the same film that differ in few words, by the grammar of the world."""
    expect(isinstance(pairs, list | tuple) and pairs, f"give a list of {PAIRS} pairs (praise, blame)")
    for number, pair in enumerate(pairs, start=1):
        whole = isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        expect(whole, f"pair {number}: two texts in quotes are wanted, praise and blame; it is {pair!r}")
        _check_pair(f"pair {number}", *pair)
    first: dict[tuple[str, ...], int] = {}
    for number, pair in enumerate(pairs, start=1):
        known = first.setdefault(tuple(map(_plain, pair)), number)
        expect(known == number, f"pair {number} is pair {known} once more; a copy tests nothing new")
    expect(len(pairs) >= PAIRS, f"all pairs so far are right, and {PAIRS - len(pairs)} are still to be written")
    expect(len(pairs) == PAIRS, f"there are {len(pairs)}; {PAIRS} are wanted, so that everybody's count says the same")
    _check_variety(pairs)


def _check_pair(name: str, praise: str, blame: str) -> None:
    expect(_plain(praise) != _plain(blame), f"{name} holds one text twice; the second should say the contrary")
    for text, says, wanted in ((praise, verdict(praise), 1), (blame, verdict(blame), 0)):
        expect(
            says is not None,
            f"{name}: the grammar cannot tell what {text!r} says; put the opinion first, in one of the forms above, "
            "and the film behind a full stop",
        )
        expect(
            says == wanted,
            f"{name}: {text!r} is {VERDICTS[1 - wanted]}, and should be {VERDICTS[wanted]}; the pair has to turn "
            "round, praise first",
        )
    named = genre(praise), genre(blame)
    expect(None not in named, f"{name}: name a genre in both texts, or they do not test what the model does with it")
    expect(
        named[0] == named[1],
        f"{name}: {named[0]!r} became {named[1]!r}; where two things change, nobody knows which one moved the answer",
    )
    changes = _changes(praise, blame)
    expect(changes <= MOST_CHANGES, f"{name}: {changes} words differ; change {MOST_CHANGES} at most, the rest stays")
    strange = sorted(set(words(f"{praise} {blame}")) & set(POSITIVE + NEGATIVE) - set(KNOWN_OPINIONS))
    expect(not strange, f"{name}: no review of the file says {strange[:1]}; take opinion words from the list above")


def _check_variety(pairs: Sequence[tuple[str, str]]) -> None:
    """Several kinds of judgement, and films that the file praises as well as films that it blames."""
    kinds = {judgement(text) for pair in pairs for text in pair}
    expect(
        len(kinds) >= FEWEST_KINDS,
        f"all are {' or '.join(sorted(map(str, kinds)))}; use at least {FEWEST_KINDS} of the kinds "
        f"{', '.join(JUDGEMENTS)}",
    )
    for genres in CUES.values():
        named = sum(genre(praise) in genres for praise, _ in pairs)
        expect(
            named >= FEWEST_OF_A_SIDE,
            f"{named} of the films are one of {', '.join(genres)}; at least {FEWEST_OF_A_SIDE} should be",
        )


def _plain(text: str) -> str:
    return " ".join(words(text))


def _changes(one: str, other: str) -> int:
    """How many words differ between two texts."""
    blocks = SequenceMatcher(None, words(one), words(other), autojunk=False).get_opcodes()
    return sum(max(to - start, end - begin) for kind, start, to, begin, end in blocks if kind != "equal")


@check_of("wilson_by_hand")
def check_wilson(wilson_by_hand: Callable[[int, int], tuple[float, float]]) -> None:
    """Wilson's 95 % interval of a share, of `right` among `n`: equal to the package's."""
    for right, n in ((20, 20), (8, 20), (0, 20), (300, 400)):
        low, high = map(float, wilson_by_hand(right, n))
        known = wilson(right / n, n)
        said = f"{right} right of {n}: {known[0]:.4f} to {known[1]:.4f}; yours is {low:.4f} to {high:.4f}"
        expect(high <= 1.5, "give shares, 0.5 and not 50")
        expect(
            high > low,
            "an interval without width: twenty right of twenty do not say that the next one is right for sure. That "
            "is p +- z * sqrt(p * (1 - p) / n); Wilson's has more terms",
        )
        expect(math.isclose(low, known[0], abs_tol=1e-6) and math.isclose(high, known[1], abs_tol=1e-6), said)


@check_of("trainer_for")
def check_trainer_for(trainer_for: Callable[..., Any]) -> None:
    """The script's trainer with one line changed: Mask-tuning, and all else as it was."""
    tokenizer = AutoTokenizer.from_pretrained(pretrained())
    model = AutoModelForSequenceClassification.from_pretrained(pretrained(), num_labels=len(LABELS))
    train = datasets.Dataset.from_dict(tokenizer(["the plot was so clever."] * 2)).add_column("label", [1, 1])
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(folder, num_train_epochs=7, report_to="none", use_cpu=True)
        trainer = trainer_for(model, args, train, tokenizer)
    expect(
        isinstance(trainer, MaskTuningTrainer),
        f"this is still a {type(trainer).__name__}: it trains as it always did. Make it a MaskTuningTrainer",
    )
    expect(
        trainer.method.name == "mask_tuning",
        f"its method is {trainer.method.name!r}; leave `method` out, and it is Mask-tuning",
    )
    expect(trainer.args.num_train_epochs == args.num_train_epochs, "hand over the `args` that you are given")
    expect(len(trainer.train_dataset) == len(train), "hand over the `train` that you are given")


MEASURED = ("test accuracy", "difference from fine-tuning", "pairs", "interval of the pairs")


@check_of("The form of your decision")
def check_decision(decision: dict[str, Any]) -> None:
    """Yes or no, two reasons that name what was measured, not in the test part alone, and what would change it."""
    wanted = ("ship", "reasons", "unless")
    expect(isinstance(decision, dict) and set(decision) == set(wanted), f"give a dictionary with the keys {wanted}")
    expect(isinstance(decision["ship"], bool), f"'ship' is True or False, not {decision['ship']!r}; somebody waits")
    reasons = decision["reasons"]
    expect(isinstance(reasons, dict) and len(reasons) >= 2, "give two reasons or more, each with its sentence")
    for name, sentence in (*reasons.items(), ("unless", decision["unless"])):
        expect(name in (*MEASURED, "unless"), f"{name!r} was not measured here; there are {', '.join(MEASURED)}")
        long = isinstance(sentence, str) and len(sentence.split()) >= FEWEST_WORDS
        expect(long, f"{name!r}: a sentence of {FEWEST_WORDS} words or more; yours is {sentence!r}")
    outside = set(reasons) & set(MEASURED[2:])
    expect(outside, "the test part is like the train part, faults included; weigh what the pairs say too")
