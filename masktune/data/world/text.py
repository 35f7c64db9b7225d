"""The unlabelled text of the embedded world: short stories of two or three sentences that agree with each other.

Genres occur with good and bad verdicts alike, and a sentence is followed by one that follows from it, so that a
language model finds here how meanings are put together, but none of the cues of the tasks.
"""

from __future__ import annotations

from functools import cache, partial
from random import Random

from masktune.data.world import inference, paraphrase, sentiment
from masktune.data.world.grammar import Event, draw_action, draw_event, draw_people, past_tense, sentence
from masktune.data.world.settings import SEED, UNLABELLED_STORIES
from masktune.data.world.words import GENRES, NEGATIVE, PLACES, POSITIVE, VERBS
from masktune.streams import derive

VERDICTS = {
    1: ("I liked it", "I would see it again", "we left happy", "it was worth the money"),
    0: ("I hated it", "I would never see it again", "we left angry", "it was a waste of money"),
}
put_otherwise = partial(paraphrase.put_otherwise, forms=paraphrase.ALL_FORMS)
SAME = ("in other words, {}", "that is, {}", "in short, {}")
EXCHANGED = ("in return, {}", "the other way round, {}", "but also, {}")
FOLLOWS = ("so {}", "{}", "this means that {}")
OPEN = ("maybe {}", "nobody knows whether {}")


def review(random: Random) -> str:
    """A review and often a verdict that agrees with it; genre and verdict are independent."""
    label = random.randrange(2)
    kinds = dict.fromkeys(sentiment.JUDGEMENTS, 1.0)
    film_review = sentiment.draw_review(random, label, sentiment.PLAIN_FILM * 6 + GENRES, kinds)
    if random.random() < 0.15:
        return film_review.text()
    adjective = random.choice(POSITIVE if label else NEGATIVE)
    verdict = random.choice((*VERDICTS[label], f"all in all it was {adjective}", f"I would call it {adjective}"))
    return sentence(film_review.judgement(), film_review.setting, verdict)


def restated(random: Random) -> str:
    """A sentence and its paraphrase."""
    kinds = (put_otherwise, put_otherwise, paraphrase.summed_up, paraphrase.synonym)
    first, second = random.choice(kinds)(random)
    return sentence(first, random.choice(SAME).format(second))


def returned(random: Random) -> str:
    """Two sentences with the same words that do not say the same: the roles are exchanged."""
    first, second = paraphrase.roles_exchanged(random, paraphrase.ALL_FORMS)
    return sentence(first, random.choice(EXCHANGED).format(second))


def concluded(random: Random) -> str:
    """A sentence and one that follows from it, or one that it leaves open."""
    if random.random() < 0.7:
        cue = random.choice((inference.ENTAILMENT, *range(3)))
        premise, hypothesis = inference.draw_pair(random, inference.ENTAILMENT, cue)
        return sentence(premise, random.choice(FOLLOWS).format(hypothesis))
    premise, hypothesis = random.choice((inference.claimed, inference.conditional))(random)
    return sentence(premise, random.choice(OPEN).format(hypothesis))


def asked(random: Random) -> str:
    """An event, a question about who did it or to whom it was done, and the answer."""
    event = draw_event(random)
    _, past, participle = VERBS[event.verb]
    question, answer = random.choice(
        ((f"who {past} somebody?", event.agent), (f"who was {participle}?", event.patient))
    )
    return sentence(random.choice((event.active, event.passive, event.fronted))(), question, answer)


def followed(random: Random) -> str:
    """One person through three or four short sentences."""
    (person, other) = draw_people(random, 2, names=0.2)
    clauses = [
        random.choice(
            (
                f"{person} {past_tense(draw_action(random))}",
                f"{person} {past_tense(draw_action(random))} {random.choice(PLACES)}",
                f"then {person} {past_tense(draw_action(random))}",
                f"nobody {VERBS[random.choice(tuple(VERBS))][1]} {person}",
                Event(person, random.choice(tuple(VERBS)), other).active(),
            )
        )
        for _ in range(random.choice((3, 4)))
    ]
    return sentence(*clauses)


KINDS = {review: 0.26, restated: 0.14, returned: 0.1, concluded: 0.22, asked: 0.1, followed: 0.18}


@cache
def unlabelled() -> tuple[str, ...]:
    """The whole text, kinds mixed: `UNLABELLED_STORIES` stories, written once in a process."""
    random = Random(derive(SEED, "world", "unlabelled"))
    kinds = random.choices(tuple(KINDS), tuple(KINDS.values()), k=UNLABELLED_STORIES)
    return tuple(write(random) for write in kinds)
