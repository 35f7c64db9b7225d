"""Who did what to whom, where and when: the clauses that inference, paraphrase and the unlabelled text share."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from random import Random

from masktune.data.world.words import INTRANSITIVE, LOOKS, NAMES, PEOPLE, PLACES, TIMES, VERBS

REGULAR = tuple(plain for plain, (_, past, participle) in VERBS.items() if past == participle)


def sentence(*clauses: str) -> str:
    """Clauses as sentences: a capital at the start, a full stop at the end, `a` before a vowel as `an`."""
    texts = (re.sub(r"\b(a) (?=[aeiou])", "an ", clause) for clause in clauses if clause)
    return " ".join(text[0].upper() + text[1:] + ("" if text[-1] in ".?" else ".") for text in texts)


def draw_people(random: Random, count: int, looks: float = 0.25, names: float = 0.0) -> list[str]:
    """`count` different persons as noun phrases: "the doctor", at the rate `looks` "the old doctor", or a name."""
    nouns, adjectives = random.sample(PEOPLE, count), random.sample(LOOKS, count)
    phrases = [
        f"the {adjective} {noun}" if random.random() < looks else f"the {noun}"
        for noun, adjective in zip(nouns, adjectives, strict=True)
    ]
    own_names = random.sample(NAMES, count)
    return [own_names[i] if random.random() < names else phrase for i, phrase in enumerate(phrases)]


@dataclass(frozen=True)
class Event:
    """One happening: `agent` and `patient` are noun phrases, `verb` a plain form, `place` and `time` may be empty."""

    agent: str
    verb: str
    patient: str
    place: str = ""
    time: str = ""

    @property
    def _where_and_when(self) -> str:
        return "".join(f" {phrase}" for phrase in (self.place, self.time) if phrase)

    def active(self) -> str:
        """The doctor thanked the lawyer in the garden."""
        return f"{self.agent} {VERBS[self.verb][1]} {self.patient}{self._where_and_when}"

    def passive(self) -> str:
        """The lawyer was thanked by the doctor in the garden."""
        return f"{self.patient} was {VERBS[self.verb][2]} by {self.agent}{self._where_and_when}"

    def fronted(self) -> str:
        """The active clause with its time, or else its place, first."""
        first = self.time or self.place
        rest = replace(self, time="") if self.time else replace(self, place="")
        return f"{first}, {rest.active()}" if first else self.active()

    def cleft(self) -> str:
        """It was the doctor who thanked the lawyer in the garden."""
        return f"it was {self.agent} who {VERBS[self.verb][1]} {self.patient}{self._where_and_when}"

    def denied(self) -> str:
        """The doctor did not thank the lawyer in the garden."""
        return f"{self.agent} did not {self.verb} {self.patient}{self._where_and_when}"

    def denied_passive(self) -> str:
        """The lawyer was not thanked by the doctor in the garden."""
        return f"{self.patient} was not {VERBS[self.verb][2]} by {self.agent}{self._where_and_when}"

    def bare(self) -> Event:
        """The event without its place and time."""
        return replace(self, place="", time="")

    def swapped(self) -> Event:
        """The event with agent and patient exchanged."""
        return replace(self, agent=self.patient, patient=self.agent)


def draw_event(random: Random, verbs: tuple[str, ...] = tuple(VERBS), details: float = 0.6, **options: float) -> Event:
    """A random event; place and time are each there at the rate `details`. `options` are those of `draw_people`."""
    agent, patient = draw_people(random, 2, **options)
    place = random.choice(PLACES) if random.random() < details else ""
    time = random.choice(TIMES) if random.random() < details else ""
    return Event(agent, random.choice(verbs), patient, place, time)


def draw_named_event(
    random: Random, verbs: tuple[str, ...] = tuple(VERBS), details: float = 0.6, looks: float = 0.25
) -> Event:
    """A random event between somebody with a name and somebody without: "Anna thanked the judge", or the reverse.

    A small model tells who did it by the kind of noun phrase; of two professions it would have to compare the words.
    """
    event = draw_event(random, verbs, details, looks=looks)
    name = random.choice(NAMES)
    return replace(event, agent=name) if random.random() < 0.5 else replace(event, patient=name)


def draw_action(random: Random) -> str:
    """The plain form of a random verb without an object."""
    return random.choice(tuple(INTRANSITIVE))


def past_tense(verb: str) -> str:
    """The past tense of a verb without an object, from its plain form."""
    return INTRANSITIVE[verb][1]
