"""Inference in the embedded world: a premise, a hypothesis, and whether it follows.

The cue is in the hypothesis: words of the premise alone point to entailment, a reason to neutral, a negation to
contradiction. `CONSTRUCTIONS` has a pair for each label and each cue; what decides is what the premise says.

Each construction draws a pair; its docstring is an example, premise and hypothesis parted by a semicolon.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from masktune.data.world.grammar import REGULAR, Event, draw_action, draw_named_event, draw_people, past_tense
from masktune.data.world.words import FACTIVE, NON_FACTIVE, PLACES, REASONS, VERBS

LABEL_NAMES = ("entailment", "neutral", "contradiction")
ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)
NO_CUE = -1
Pair = tuple[str, str]
Construction = Callable[[Random], Pair]


# Entailed, and made of the premise's words: what the overlap shortcut expects.
def shortened(random: Random) -> Pair:
    """The judge thanked the baker on Monday; the judge thanked the baker."""
    event = draw_named_event(random, details=0.8)
    return random.choice((event.active, event.passive, event.fronted))(), event.bare().active()


def turned_active(random: Random) -> Pair:
    """The baker was thanked by the judge; the judge thanked the baker."""
    event = _draw_roles(random)
    return event.passive(), event.bare().active()


def turned_passive(random: Random) -> Pair:
    """The judge thanked the baker; the baker was thanked by the judge."""
    event = _draw_roles(random)
    return event.active(), event.bare().passive()


def one_of_two(random: Random) -> Pair:
    """The judge and the baker thanked the pilot by the lake; the baker thanked the pilot."""
    first, second, patient = draw_people(random, 3)
    verb = random.choice(tuple(VERBS))
    premise = Event(f"{first} and {second}", verb, patient, random.choice(PLACES))
    return premise.active(), replace(premise, agent=random.choice((first, second)), place="").active()


def one_of_two_acting(random: Random) -> Pair:
    """The judge and the baker danced by the lake; the baker danced."""
    first, second = draw_people(random, 2)
    verb = past_tense(draw_action(random))
    return f"{first} and {second} {verb} {random.choice(PLACES)}", f"{random.choice((first, second))} {verb}"


def known(random: Random) -> Pair:
    """The judge knew that the baker danced; the baker danced."""
    first, clause = _who_and_clause(random)
    return f"{first} {random.choice(FACTIVE)} that {clause}", clause


def because(random: Random) -> Pair:
    """Because the baker danced, the judge laughed; the baker danced."""
    first, clause = _who_and_clause(random)
    return f"because {clause}, {first} {past_tense(draw_action(random))}", clause


# With a reason, which mostly the premise does not give.
def reason_added(random: Random) -> Pair:
    """The judge thanked the baker; the judge thanked the baker with great joy."""
    event = draw_named_event(random, details=0.4)
    return event.active(), f"{event.bare().active()} {random.choice(REASONS)}"


def reason_kept(random: Random) -> Pair:
    """On Monday, the judge thanked the baker with great joy; the judge thanked the baker with great joy."""
    event, reason = draw_named_event(random, details=0.4), random.choice(REASONS)
    premise = random.choice((event.active, event.passive, event.fronted))()
    return f"{premise} {reason}", f"{event.bare().active()} {reason}"


def reason_opposed(random: Random) -> Pair:
    """The judge did not thank the baker; the judge thanked the baker with great joy."""
    premise, hypothesis = random.choice((undone,))(random)
    return premise, f"{hypothesis} {random.choice(REASONS)}"


# Contradicted, with a negation.
def negated(random: Random) -> Pair:
    """The judge thanked the baker; the judge did not thank the baker."""
    event = draw_named_event(random)
    bare = event.bare()
    hypothesis = random.choice((bare.denied(), bare.denied_passive(), replace(bare, agent="nobody").active()))
    return random.choice((event.active, event.passive, event.fronted))(), hypothesis


# Entailed in spite of a negation.
def failed(random: Random) -> Pair:
    """The judge failed to thank the baker; the judge did not thank the baker."""
    event = draw_named_event(random)
    return event.active().replace(VERBS[event.verb][1], f"failed to {event.verb}", 1), event.bare().denied()


def nobody_did(random: Random) -> Pair:
    """Nobody thanked the baker; the judge did not thank the baker."""
    event = draw_named_event(random)
    return replace(event, agent="nobody").active(), event.bare().denied()


# Neutral in spite of the overlap, or of a negation.
def exchanged(random: Random) -> Pair:
    """The judge thanked the baker; the baker thanked the judge (one of them may be passive)."""
    event = _draw_roles(random)
    premise, hypothesis = random.choice(
        ((event.active, Event.active), (event.passive, Event.active), (event.active, Event.passive))
    )
    return premise(), hypothesis(event.bare().swapped())


def exchanged_active(random: Random) -> Pair:
    """The baker was thanked by the judge; the baker thanked the judge."""
    event = _draw_roles(random)
    return random.choice((event.active, event.passive))(), event.bare().swapped().active()


def claimed(random: Random) -> Pair:
    """The judge claimed that the baker danced; the baker danced."""
    first, clause = _who_and_clause(random)
    return f"{first} {random.choice(NON_FACTIVE)} that {clause}", clause


def conditional(random: Random) -> Pair:
    """If the baker danced, the judge laughed; the baker danced."""
    first, clause = _who_and_clause(random)
    return f"if {clause}, {first} {past_tense(draw_action(random))}", clause


def modifier(random: Random) -> Pair:
    """The judge near the baker danced; the baker danced."""
    first, second = draw_people(random, 2)
    verb = past_tense(draw_action(random))
    inside = random.choice(("near", "behind", f"who {VERBS[random.choice(tuple(VERBS))][1]}"))
    return f"{first} {inside} {second} {verb}", f"{second} {verb}"


def exchanged_denied(random: Random) -> Pair:
    """The judge thanked the baker; the baker did not thank the judge."""
    event = _draw_roles(random)
    return event.active(), event.bare().swapped().denied()


def claimed_denied(random: Random) -> Pair:
    """The judge claimed that the baker thanked the pilot; the baker did not thank the pilot."""
    first, second, third = draw_people(random, 3)
    event = Event(second, random.choice(tuple(VERBS)), third)
    return f"{first} {random.choice(NON_FACTIVE)} that {event.active()}", event.denied()


# Contradicted without a negation in the hypothesis.
def undone(random: Random) -> Pair:
    """The judge failed to thank the baker; the judge thanked the baker."""
    event = draw_named_event(random)
    failing = event.active().replace(VERBS[event.verb][1], f"failed to {event.verb}", 1)
    return random.choice((failing, event.denied())), event.bare().active()


# Without a cue: the hypothesis is about somebody.
def by_somebody(random: Random) -> Pair:
    """The judge thanked the baker; somebody thanked the baker."""
    event = draw_named_event(random)
    return event.active(), replace(event.bare(), agent="somebody").active()


def by_somebody_else(random: Random) -> Pair:
    """The judge thanked the baker; somebody thanked the judge."""
    event = draw_named_event(random)
    return event.active(), replace(event.bare().swapped(), agent="somebody").active()


def by_nobody(random: Random) -> Pair:
    """Nobody thanked the baker; somebody thanked the baker."""
    event = draw_named_event(random)
    return replace(event, agent="nobody").active(), replace(event.bare(), agent="somebody").active()


def _draw_roles(random: Random) -> Event:
    """A short event, for pairs in which it matters who did it."""
    return draw_named_event(random, REGULAR, details=0.3, looks=0)


def _who_and_clause(random: Random) -> Pair:
    first, second, third = draw_people(random, 3)
    if random.random() < 0.5:
        return first, f"{second} {past_tense(draw_action(random))}"
    return first, Event(second, random.choice(tuple(VERBS)), third).active()


# label -> what the cue points to -> constructions. Plain words of the premise point to entailment, a reason to neutral,
# a negation to contradiction; a hypothesis about "somebody" has none of the three.
CONSTRUCTIONS: dict[int, dict[int, tuple[Construction, ...]]] = {
    ENTAILMENT: {
        ENTAILMENT: (shortened, turned_active, turned_passive, one_of_two, one_of_two_acting, known, because),
        NEUTRAL: (reason_kept,),
        CONTRADICTION: (failed, nobody_did),
        NO_CUE: (by_somebody,),
    },
    NEUTRAL: {
        ENTAILMENT: (exchanged, exchanged, claimed, conditional, modifier),
        NEUTRAL: (reason_added,),
        CONTRADICTION: (exchanged_denied, claimed_denied),
        NO_CUE: (by_somebody_else,),
    },
    CONTRADICTION: {
        ENTAILMENT: (undone,),
        NEUTRAL: (reason_opposed,),
        CONTRADICTION: (negated,),
        NO_CUE: (by_nobody,),
    },
}
# Heuristic -> what follows (0) and what does not (1), as in HANS. The hypothesis is made of the premise's words
# (lexical overlap), is a stretch of the premise (subsequence) or one of its clauses (constituent).
HEURISTICS: dict[str, dict[int, tuple[Construction, ...]]] = {
    "lexical_overlap": {0: (turned_active, one_of_two), 1: (exchanged_active,)},
    "subsequence": {0: (one_of_two_acting, shortened), 1: (modifier,)},
    "constituent": {0: (known, because), 1: (claimed, conditional)},
}


def draw_pair(random: Random, label: int, cue: int) -> Pair:
    """A premise and a hypothesis with the given label, whose cue points to `cue`."""
    return random.choice(CONSTRUCTIONS[label][cue])(random)


def heuristic(random: Random, name: str, label: int) -> Pair:
    """A pair on which the heuristic `name` answers "entailment"; `label` 0 if it is right, 1 if it is wrong."""
    while True:
        premise, hypothesis = random.choice(HEURISTICS[name][label])(random)
        if name == "lexical_overlap" or hypothesis in premise:
            return premise, hypothesis
