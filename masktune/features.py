"""What a method must know of each train example before training: a bias model's opinion, a teacher's, other texts.

A product is declared by the method that needs it, made and cached by `masktune.training.features`, and reaches the
method as a column of the train set.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import numpy

    from masktune.training.features import Material

# Of the columns' names in the train set: a column of the user's own is never taken for one of these.
PREFIX = "prepared_"


@dataclass(frozen=True)
class Product(ABC):
    """Something to find out about each train example. Its fields, and the material, are what defines it.

    summary    what it is, in a few words
    per_token  whether there is a value for each token of an example, and not one for the example
    made_from  the parts of the material it depends on, beside the tokenised train set: "words" (the tokenizer),
               "checkpoint", "training"
    """

    summary: ClassVar[str]
    per_token: ClassVar[bool] = False
    made_from: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def make(self, material: "Material") -> "numpy.ndarray":
        """An array [n, ...], or [tokens of all examples in turn] if `per_token`, of plain numbers."""
