"""The words of the embedded world, by part of speech. Plain tuples: the grammar modules combine them."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


def _forms(text: str) -> dict[str, tuple[str, ...]]:
    """Plain form -> all forms, the plain one first."""
    return {forms.split()[0]: tuple(forms.split()) for forms in text.split("|")}


PEOPLE = _words(
    "doctor lawyer baker farmer teacher student painter singer sailor soldier judge banker barber gardener "
    "driver pilot nurse waiter actor manager tailor hunter guard priest"
)
RELATIVES = _words("brother sister father mother uncle aunt friend wife husband son daughter grandmother")
NAMES = _words(
    "Anna Ben Clara David Emma Felix Grace Henry Ida Jack Kate Leo Maria Nora Oscar Paul Rosa Sam Tina Victor "
    "Walter Zoe"
)
LOOKS = _words("old young tall short tired hungry quiet careful rich poor proud gentle nervous brave lonely famous")

# Transitive verbs: plain form, past form, past participle.
VERBS = _forms(
    "thank thanked thanked|help helped helped|visit visited visited|follow followed followed|call called called|"
    "see saw seen|warn warned warned|invite invited invited|hug hugged hugged|watch watched watched|meet met met|"
    "teach taught taught|admire admired admired|greet greeted greeted|assist assisted assisted|"
    "phone phoned phoned|notice noticed noticed|alert alerted alerted|embrace embraced embraced|"
    "respect respected respected|praise praised praised|criticize criticized criticized|love loved loved|"
    "hate hated hated|trust trusted trusted|doubt doubted doubted|obey obeyed obeyed|ignore ignored ignored|"
    "welcome welcomed welcomed|reject rejected rejected|hire hired hired|dismiss dismissed dismissed|"
    "protect protected protected|attack attacked attacked"
)
SYNONYMS = (
    ("help", "assist"),
    ("call", "phone"),
    ("see", "notice"),
    ("warn", "alert"),
    ("hug", "embrace"),
    ("admire", "respect"),
    ("meet", "greet"),
)
KIND_VERBS = _words("thank help invite hug admire greet assist embrace respect praise love trust welcome protect")
UNKIND_VERBS = _words("criticize hate doubt ignore reject dismiss attack")
KIND = _words("kind friendly nice good")
UNKIND = _words("unkind hostile rude cruel")
INTRANSITIVE = _forms(
    "wait waited|sleep slept|laugh laughed|dance danced|sing sang|run ran|smile smiled|cry cried|cough coughed|"
    "work worked|shout shouted|arrive arrived|leave left|fall fell|pray prayed|swim swam"
)
FACTIVE = _words("knew remembered noticed saw learned proved forgot realized")
NON_FACTIVE = _words("believed claimed hoped thought feared suspected guessed wished")

PLACES = _phrases(
    "near the river|in the market|at the station|behind the church|in the garden|on the bridge|at the harbor|"
    "near the school|in the kitchen|by the lake|in the forest|at the hotel|in the library|on the hill|"
    "near the mill|in the village|at the museum|behind the barn|by the fountain|at the bank"
)
TIMES = _phrases(
    "on Monday|on Tuesday|on Friday|on Sunday|yesterday|last night|last week|in the morning|at noon|"
    "in the evening|last summer|in April|in winter|after lunch|before dinner|two days ago"
)
REASONS = _phrases(
    "because of the rain|for a small reward|after a long quarrel|without any shoes|with a wooden spoon|"
    "for the third time|in a blue coat|because of the letter|with great joy|under a paper umbrella|"
    "before the wedding|to win a bet"
)

GENRES = _words("comedy romance adventure fantasy musical cartoon thriller western mystery tragedy drama documentary")
ASPECTS = _words(
    "acting story music ending cast plot script humor camera dialogue pace sound opening costume scenery song "
    "mood idea hero villain"
)
POSITIVE = _words(
    "wonderful charming brilliant delightful superb lovely clever funny elegant excellent beautiful lively warm "
    "perfect bright graceful"
)
NEGATIVE = _words(
    "terrible boring awful dull weak clumsy stale tedious ugly horrible silly empty cold dreadful lazy messy"
)
ANTONYM_OF = dict(zip(POSITIVE + NEGATIVE, NEGATIVE + POSITIVE, strict=True))
DEGREES = ("", "", "", "very", "really", "quite", "truly", "so")
