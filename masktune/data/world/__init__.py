"""The embedded world: unlabelled text and three tasks, made on the spot, each with a spurious cue of known strength.

sentiment   the genre of a film points to the verdict. `contrast` reverses the verdict by the opinion words,
            `counterfactual` by the structure; the genre stays and misleads (sentiment.py)
inference   the hypothesis points to the label: by a negation, a reason, or neither. `heuristics` is built like HANS, in
            `adversarial` the cue always points to another label (inference.py)
paraphrase  words in common point to paraphrase. In `swaps`, built like PAWS, all words are in both sentences, whatever
            the label: it depends on who did it to whom (paraphrase.py)

Most train examples hold the cue, and in nearly all of these it points to the label; from the others a model can learn
what decides. `load(task, cue_rate=UNINFORMATIVE[task])` is the same task with a cue that says nothing.

grammar.py and words.py are what the three are written with, text.py is the unlabelled text, settings.py holds the
strengths of the cues, sets.py draws the sets, collection.py hands them out as `TaskData`.
"""

from __future__ import annotations

from masktune.data.world.collection import cards, load, unlabelled
from masktune.data.world.sets import generate
from masktune.data.world.settings import MAX_LENGTH, UNINFORMATIVE

__all__ = ["MAX_LENGTH", "UNINFORMATIVE", "cards", "generate", "load", "unlabelled"]
