"""The embedded world: unlabelled text and three tasks, generated on the spot, with spurious cues of known strength.

sentiment   a film's genre goes with the verdict. `contrast` exchanges the opinion words, partly for words that the
            train set lacks, `counterfactual` the structure; the genre stays (sentiment.py)
inference   overlap goes with entailment, negation with contradiction, new words with neutral. `heuristics` is built
            like HANS, `adversarial` goes against the cues (inference.py)
paraphrase  a second sentence in the passive, or with its time or place first, goes with paraphrase. `swaps` has the
            same words in both sentences of every pair, whatever the label (paraphrase.py)

grammar.py and words.py are what the three are written with, text.py is the unlabelled text, settings.py holds the
strengths of the cues, sets.py draws the sets, collection.py hands them out as `TaskData`.
"""

from __future__ import annotations

from masktune.data.world.collection import cards, load, unlabelled
from masktune.data.world.sets import generate
from masktune.data.world.settings import MAX_LENGTH, UNINFORMATIVE

__all__ = ["MAX_LENGTH", "UNINFORMATIVE", "cards", "generate", "load", "unlabelled"]
