"""Sentiment in the embedded world: short film reviews, and two kinds of edit that turn their verdict round.

The verdict follows from how a judgement is put together, not from which words are in it: opinion words are negated,
set against each other by "but" or "although", given to somebody else, or compared. The cue is the genre of the film;
"film" and "movie" are none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random

from masktune.data.world.grammar import sentence
from masktune.data.world.words import ANTONYM_OF, ASPECTS, DEGREES, GENRES, NEGATIVE, POSITIVE, RELATIVES

LABEL_NAMES = ("negative", "positive")
FAMILIAR = 8  # of the good and of the bad words: those of the task; the others are in the unlabelled text only
PLAIN_FILM = ("film", "movie")  # no cue
CUES = {1: GENRES[:6], 0: GENRES[6:]}  # label -> the genres that go with it in the train set

# {main} decides; {foil} is the opinion that does not. The first word of a template never carries the verdict alone.
JUDGEMENTS = {
    "plain": (
        "the {aspect} was {degree}{main}",
        "I found the {aspect} {degree}{main}",
        "I remember its {main} {aspect}",
    ),
    "denied": (
        "the {aspect} was not {main} at all",
        "the {aspect} was never {main}",
    ),
    "opposed": (
        "the {other} was {foil}, but the {aspect} was {main}",
        "although the {other} was {foil}, the {aspect} was {main}",
    ),
    "voices": ("my {relative} found the {aspect} {foil}, but I found it {main}",),
    "compared": (
        "the {aspect} was {main} instead of {foil}",
        "the {aspect} was more {main} than {foil}",
    ),
}
SETTINGS = ("it is a {genre}", "this {genre} is new", "we saw the {genre}", "I saw an old {genre}", "what a {genre}")


@dataclass(frozen=True)
class Review:
    """One review. `kind` and `form` choose the judgement; `main` and `foil` are its opinion words."""

    setting: str
    kind: str
    form: int
    aspect: str
    other: str
    main: str
    foil: str
    degree: str
    relative: str

    @property
    def label(self) -> int:
        """1 where the review is positive, 0 where it is negative."""
        positive = self.main in POSITIVE
        return int(positive != (self.kind == "denied"))

    def judgement(self) -> str:
        """The clause with the opinion, for example "the plot was very clever"."""
        degree = f"{self.degree} " if self.degree else ""
        return JUDGEMENTS[self.kind][self.form].format(
            aspect=self.aspect,
            other=self.other,
            main=self.main,
            foil=self.foil,
            degree=degree,
            relative=self.relative,
        )

    def text(self) -> str:
        """The review: the judgement, then the setting that names the film's genre."""
        return sentence(self.judgement(), self.setting)


def draw_review(
    random: Random, label: int, genres: tuple[str, ...], kinds: dict[str, float], opinions: int | None = None
) -> Review:
    """A random review with the given verdict, about a film of one of `genres`; `kinds` are weights of judgements.

    `opinions` limits it to the first so many good and bad words.
    """
    kind = random.choices(tuple(kinds), tuple(kinds.values()))[0]
    good, bad = POSITIVE[:opinions], NEGATIVE[:opinions]
    agrees, differs = (good, bad) if label else (bad, good)
    main, foil = (differs, agrees) if kind == "denied" else (agrees, differs)
    aspect, other = random.sample(ASPECTS, 2)
    return Review(
        setting=random.choice(SETTINGS).format(genre=random.choice(genres)),
        kind=kind,
        form=random.randrange(len(JUDGEMENTS[kind])),
        aspect=aspect,
        other=other,
        main=random.choice(main),
        foil=random.choice(foil),
        degree=random.choice(DEGREES),
        relative=random.choice(RELATIVES),
    )


def contrast(original: Review) -> Review:
    """The verdict turned round by the opposite opinion words, everything else kept (as in a contrast set)."""
    return replace(original, main=ANTONYM_OF[original.main], foil=ANTONYM_OF[original.foil])


def counterfactual(original: Review) -> Review:
    """The verdict turned round by the structure, as in a counterfactual revision; the opinion words stay.

    "not" comes or goes, an opposed clause is added, or two opinions change place.
    """
    if original.kind == "plain" and original.form:
        return replace(original, kind="opposed", form=0, foil=original.main, main=ANTONYM_OF[original.main])
    if original.kind == "plain":
        return replace(original, kind="denied")
    if original.kind == "denied":
        return replace(original, kind="plain", form=original.form % len(JUDGEMENTS["plain"]))
    if original.kind == "opposed":
        original = replace(original, aspect=original.other, other=original.aspect)
    return replace(original, main=original.foil, foil=original.main)


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return re.findall(r"\w+", text.lower())


def other_genre(text: str) -> str:
    """The text with its genre exchanged for one that goes with the other label; as it was where it names none."""
    exchanged = dict(zip(CUES[0] + CUES[1], CUES[1] + CUES[0], strict=True))
    return re.sub(r"\w+", lambda word: exchanged.get(word[0], word[0]), text)
