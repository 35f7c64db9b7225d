"""Paraphrase in the embedded world: do two sentences say the same?

In the train set two sentences with the same words mostly do, and two with different words mostly do not. The
constructions of `HARD` go against that cue: a synonym, or an exchange of roles. Those of `SWAPS` have the same words
in both sentences, whatever the label.

Each construction draws a pair; its docstring is an example, the two sentences parted by a semicolon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from masktune.data.world.grammar import REGULAR, Event, draw_action, draw_event, draw_people, past_tense
from masktune.data.world.words import LOOKS, PEOPLE, PLACES, SYNONYMS, TIMES, VERBS

LABEL_NAMES = ("different", "paraphrase")
TURNED_RATE = 0.08  # how often an unrelated sentence is turned round (passive, time first), as paraphrases mostly are
Pair = tuple[str, str]
Construction = Callable[[Random], Pair]


# The same words, the same meaning.
def voice(random: Random) -> Pair:
    """The judge thanked the baker; the baker was thanked by the judge."""
    event = draw_event(random, REGULAR)
    return event.active(), event.passive()


def fronted(random: Random) -> Pair:
    """The judge thanked the baker on Monday; on Monday, the judge thanked the baker."""
    event = replace(draw_event(random), time=random.choice(TIMES))
    return random.choice((event.active, event.cleft))(), event.fronted()


def reordered(random: Random) -> Pair:
    """The judge and the baker thanked the pilot; the baker and the judge thanked the pilot."""
    first, second, patient = draw_people(random, 3)
    verb, place = random.choice(tuple(VERBS)), random.choice(PLACES)
    return (
        Event(f"{first} and {second}", verb, patient, place).active(),
        Event(f"{second} and {first}", verb, patient, place).active(),
    )


def sequence_fronted(random: Random) -> Pair:
    """The judge danced before the baker sang; before the baker sang, the judge danced."""
    (first, second), word = _two_acts(random), random.choice(("before", "after"))
    return f"{first} {word} {second}", f"{word} {second}, {first}"


# The same words, another meaning: who did it, who was how, what came first.
def roles(random: Random) -> Pair:
    """The judge thanked the baker; the baker thanked the judge (the second or both may be passive)."""
    event = draw_event(random, REGULAR)
    one, other = random.choice(
        ((Event.active, Event.active), (Event.active, Event.passive), (Event.passive, Event.passive))
    )
    return one(event), other(event.swapped())


def roles_turned(random: Random) -> Pair:
    """The judge thanked the baker; the judge was thanked by the baker."""
    event = draw_event(random, REGULAR)
    return event.active(), random.choice((Event.passive, Event.fronted))(event.swapped())


def looks(random: Random) -> Pair:
    """The old judge thanked the poor baker; the poor judge thanked the old baker."""
    one, other = _exchanged_looks(random)
    return one.active(), other.active()


def looks_turned(random: Random) -> Pair:
    """The old judge thanked the poor baker; the old baker was thanked by the poor judge."""
    one, other = _exchanged_looks(random)
    return one.active(), random.choice((Event.passive, Event.fronted))(other)


def _exchanged_looks(random: Random) -> tuple[Event, Event]:
    agent, patient = random.sample(PEOPLE, 2)
    first, second = random.sample(LOOKS, 2)
    event = draw_event(random, REGULAR)
    return (
        replace(event, agent=f"the {first} {agent}", patient=f"the {second} {patient}"),
        replace(event, agent=f"the {second} {agent}", patient=f"the {first} {patient}"),
    )


def exchanged_sequence(random: Random) -> Pair:
    """The judge danced before the baker sang; the baker sang before the judge danced."""
    (first, second), word = _two_acts(random), random.choice(("before", "after"))
    return random.choice(
        (
            (f"{first} {word} {second}", f"{second} {word} {first}"),
            (f"{first} {word} {second}", f"{word} {first}, {second}"),
        )
    )


# Other words: the same meaning (synonyms), another meaning (other people, deeds and places).
def synonym(random: Random) -> Pair:
    """The judge helped the baker; the judge assisted the baker."""
    verb, other = random.sample(random.choice(SYNONYMS), 2)
    event = draw_event(random, (verb,))
    return event.active(), random.choice((Event.active, Event.passive))(replace(event, verb=other))


def unrelated(random: Random) -> Pair:
    """The judge thanked the baker; the pilot warned the nurse at noon."""
    event, other = draw_event(random), draw_event(random)
    form = random.choice((Event.passive, Event.fronted)) if random.random() < TURNED_RATE else Event.active
    return event.active(), form(other)


def unrelated_sequence(random: Random) -> Pair:
    """The judge danced before the baker sang; the pilot laughed after the nurse left."""
    (first, second), (third, fourth) = _two_acts(random), _two_acts(random)
    word, other = random.choice(("before", "after")), random.choice(("before", "after"))
    return f"{first} {word} {second}", f"{third} {other} {fourth}"


def another_kind(random: Random) -> Pair:
    """The judge thanked the baker; the pilot laughed after the nurse left."""
    one, other = random.sample((unrelated, unrelated_sequence, reordered), 2)
    return one(random)[0], other(random)[1]


def _two_acts(random: Random) -> Pair:
    first, second = draw_people(random, 2, looks=0.15)
    return f"{first} {past_tense(draw_action(random))}", f"{second} {past_tense(draw_action(random))}"


EASY: dict[int, tuple[Construction, ...]] = {
    0: (unrelated, unrelated, unrelated, unrelated_sequence, unrelated_sequence, another_kind, another_kind),
    1: (voice, voice, voice, fronted, fronted, sequence_fronted, sequence_fronted, reordered),
}
HARD: dict[int, tuple[Construction, ...]] = {0: (roles, roles_turned, exchanged_sequence), 1: (synonym,)}
SWAPS: dict[int, tuple[Construction, ...]] = {
    0: (roles, roles, looks, roles_turned, looks_turned, exchanged_sequence),
    1: (voice, fronted, reordered, sequence_fronted),
}


def in_distribution(random: Random, label: int, hard: float) -> Pair:
    """Two sentences with the given label; at the rate `hard` the overlap of words points to the other label."""
    table = HARD if random.random() < hard else EASY
    return random.choice(table[label])(random)


def swaps(random: Random, label: int) -> Pair:
    """Two sentences with the same words, in another order (as in PAWS)."""
    return random.choice(SWAPS[label])(random)
