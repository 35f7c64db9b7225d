"""Words of tokenised examples, and the shallow features of them that a bias model may look at.

The words come from the token ids: a tokenised train set is all that is needed, and what was cut off because it did not
fit, the model cannot see either.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

from masktune.features import Texts

Words = list[str]


def decode_texts(input_ids: Iterable[list[int]], tokenizer: Any) -> list[Texts]:
    """The words of each example, lower-cased: of one text, or of two if any example has two."""
    ends = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}
    ends.add(tokenizer.pad_token_id)
    split = [_split(token_ids, ends) for token_ids in input_ids]
    count = min(2, max(map(len, split), default=1))
    columns = [
        tokenizer.batch_decode([texts[place] if place < len(texts) else [] for texts in split])
        for place in range(count)
    ]
    return list(zip(*([re.findall(r"\w+", text.lower()) for text in column] for column in columns), strict=True))


def _split(token_ids: list[int], ends: set[int | None]) -> list[list[int]]:
    """The tokens between the special tokens at which texts end."""
    texts: list[list[int]] = [[]]
    for token in token_ids:
        if token not in ends:
            texts[-1].append(token)
        elif texts[-1]:
            texts.append([])
    return texts if texts[-1] else texts[:-1]


def bag_of_words(texts: Texts) -> Words:
    """What a linear model sees of an example: its words; of two texts, the words of each and those in both."""
    if len(texts) == 1:
        return texts[0]
    first, second = map(set, texts)
    marked = (("1", first), ("2", second), ("both", first & second))
    return [f"{mark}:{word}" for mark, words in marked for word in sorted(words)]


def overlap_features(texts: Texts) -> list[float]:
    """Features of how two texts overlap.

    Whether all words of the second are in the first, whether it is a contiguous part of the first, the share of its
    words in the first, the log of the difference in length (Clark et al. 2019); and the share of the first's
    words in the second, for tasks in which neither comes first. The similarity of word vectors is left out: it would
    bring in a third party's data.
    """
    first, second = texts
    known, others = set(first), set(second)
    inside = sum(word in known for word in second) / max(len(second), 1)
    around = sum(word in others for word in first) / max(len(first), 1)
    contiguous = f" {' '.join(second)} " in f" {' '.join(first)} "
    return [float(inside == 1), float(contiguous), inside, around, math.log(max(len(first) - len(second), 1))]
