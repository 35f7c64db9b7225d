"""Paraphrase in the embedded world: do two sentences say the same?

The cue is the overlap of words: two sentences with the same words point to "paraphrase", two without a word in common
to "different". What decides is who did it to whom, in the active and in the passive voice; of two sentences without a
word in common, the second sums up the first, or it is about something else. In the set `swaps` both sentences have the
same words, whatever the label, as in PAWS.

Each construction draws a pair; its docstring is an example, the two sentences parted by a semicolon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from masktune.data.world.grammar import REGULAR, Event, draw_action, draw_named_event, draw_people, past_tense
from masktune.data.world.words import KIND, KIND_VERBS, PLACES, SYNONYMS, TIMES, UNKIND, UNKIND_VERBS

LABEL_NAMES = ("different", "paraphrase")
DIFFERENT, PARAPHRASE = range(2)
NO_CUE = -1
FORMS = (Event.active, Event.passive, Event.fronted)
Forms = tuple[tuple[Callable[[Event], str], Callable[[Event], str]], ...]
# In the tasks one sentence of two is active and one passive. With the time first, too, a small model learns who did it
# too late to tell anything of a cue; the unlabelled text has these as well.
VOICES: Forms = ((Event.active, Event.passive), (Event.passive, Event.active))
ALL_FORMS: Forms = (*VOICES, (Event.active, Event.fronted), (Event.fronted, Event.active))
Pair = tuple[str, str]
Construction = Callable[[Random], Pair]


# The same words: what the overlap shortcut takes for the same meaning.
def put_otherwise(random: Random, forms: Forms = VOICES) -> Pair:
    """Anna thanked the judge at noon; the judge was thanked by Anna at noon."""
    event = _draw_event(random)
    return _in_two_forms(random, forms, event, event)


def roles_exchanged(random: Random, forms: Forms = VOICES) -> Pair:
    """Anna thanked the judge at noon; Anna was thanked by the judge at noon."""
    event = _draw_event(random)
    return _in_two_forms(random, forms, event, event.swapped())


# Other words: the second sentence is about something else, or sums up what was done.
def unrelated(random: Random) -> Pair:
    """Anna thanked the judge at noon; the pilot laughed by the lake."""
    (person,) = draw_people(random, 1)
    act = f"{person} {past_tense(draw_action(random))} {random.choice(PLACES)}"
    return random.choice(FORMS)(_draw_event(random)), act


def summed_up(random: Random) -> Pair:
    """At noon, Anna thanked the judge; somebody was kind."""
    verbs, words = random.choice(((KIND_VERBS, KIND), (UNKIND_VERBS, UNKIND)))
    event = replace(_draw_event(random), verb=random.choice(verbs))
    return random.choice(FORMS)(event), f"somebody was {random.choice(words)}"


# Without a cue: the same people, and what was done in other words.
def kind_to(random: Random) -> Pair:
    """The judge was thanked by Anna at noon; Anna was kind to the judge."""
    event = _draw_event(random)
    return _event_and_kindness(random, event, event)


def kind_to_the_other(random: Random) -> Pair:
    """The judge was thanked by Anna at noon; the judge was kind to Anna."""
    event = _draw_event(random)
    return _event_and_kindness(random, event, event.swapped())


def _event_and_kindness(random: Random, event: Event, other: Event) -> Pair:
    verbs, words = random.choice(((KIND_VERBS, KIND), (UNKIND_VERBS, UNKIND)))
    form = random.choice((Event.active, Event.passive))
    first = form(replace(event, verb=random.choice(verbs)))
    return first, f"{other.agent} was {random.choice(words)} to {other.patient}"


# In the unlabelled text alone.
def synonym(random: Random) -> Pair:
    """Anna helped the judge at noon; at noon, Anna assisted the judge."""
    verb, other = random.sample(random.choice(SYNONYMS), 2)
    event = replace(_draw_event(random), verb=verb)
    return _in_two_forms(random, ALL_FORMS, event, replace(event, verb=other))


def _draw_event(random: Random) -> Event:
    return replace(draw_named_event(random, REGULAR, details=0, looks=0), time=random.choice(TIMES))


def _in_two_forms(random: Random, forms: Forms, first: Event, second: Event) -> Pair:
    """The two events, each in a form of its own."""
    one, other = random.choice(forms)
    return one(first), other(second)


# label -> what the cue points to -> constructions.
CONSTRUCTIONS: dict[int, dict[int, tuple[Construction, ...]]] = {
    DIFFERENT: {DIFFERENT: (unrelated,), PARAPHRASE: (roles_exchanged,), NO_CUE: (kind_to_the_other,)},
    PARAPHRASE: {DIFFERENT: (summed_up,), PARAPHRASE: (put_otherwise,), NO_CUE: (kind_to,)},
}


def draw_pair(random: Random, label: int, cue: int) -> Pair:
    """Two sentences with the given label, whose overlap points to `cue`."""
    return random.choice(CONSTRUCTIONS[label][cue])(random)
