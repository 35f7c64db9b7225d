"""Train, validation and test parts of one file.

Examples with the same texts, and those of one cluster of the user's, stay together, so that no part holds what another
was trained on, and each part has the classes in the proportion of the file, as far as whole groups allow.
"""

from collections import defaultdict

import numpy as np

from masktune.errors import MaskTuneError
from masktune.own.data.examples import Examples
from masktune.streams import derive

SEED = 0  # one split for every seed of the training: comparisons are paired by examples, too
PARTS = ("train", "validation", "test")
SHARE = 0.1  # of the rows for validation, and of the rows for the test


def split(examples: Examples, parts: tuple[str, ...] = PARTS) -> dict[str, Examples]:
    """Examples by part. `parts` begins with "train"; each other part gets SHARE of the rows.

    A class that has too few groups is in the train part alone. Raises MaskTuneError where a part would be empty.
    """
    shares = np.array([1 - SHARE * (len(parts) - 1), *[SHARE] * (len(parts) - 1)])
    part_of = np.zeros(len(examples), dtype=int)
    placed = np.zeros(len(parts))
    for name, groups in _groups(examples).items():
        size = sum(map(len, groups))
        wanted, own = shares * size, np.zeros(len(parts))
        order = np.random.default_rng(derive(SEED, "split", name)).permutation(len(groups))
        for index in order:
            group = groups[index]
            # The part that lacks most of this class; of two alike the one that lacks most of all.
            lacking = wanted - own + 1e-3 * (shares * (placed.sum() + size) - placed) / max(size, 1)
            chosen = int(np.argmax(lacking)) if own.any() else 0
            own[chosen] += len(group)
            placed[chosen] += len(group)
            part_of[group] = chosen
    found = {part: examples.select(np.flatnonzero(part_of == number).tolist()) for number, part in enumerate(parts)}
    for part, rows in found.items():
        if not len(rows):
            raise MaskTuneError(
                f"{examples.name}: {len(examples)} rows, duplicates and clusters kept together, leave none for "
                f"{part}; expected some dozens of rows, or name a file for it (--{part})"
            )
    return found


def _groups(examples: Examples) -> dict[str, list[list[int]]]:
    """Numbers of the examples that belong together, by the class that the first of them has."""
    by_first: dict[int, list[int]] = defaultdict(list)
    for number, first in enumerate(examples.together()):
        by_first[first].append(number)
    by_label: dict[str, list[list[int]]] = defaultdict(list)
    for group in by_first.values():
        by_label[examples.labels[group[0]]].append(group)
    return dict(by_label)
