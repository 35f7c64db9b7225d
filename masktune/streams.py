"""Named random streams: every random choice has its own generator, derived from (seed, purpose, step).

Two methods that run with one seed thus share the initialisation of their heads and the order of their batches, and
differ in nothing but the method: the comparison is paired. A stream keeps no state. It is derived anew at each step,
so a run resumed at step 100 draws what the uninterrupted run drew there.
"""

import hashlib

import torch


def derive(seed: int, *purpose: str | int) -> int:
    """A seed of 63 bits for one purpose, e.g. `derive(3, "batch order", epoch)`."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


class Streams:
    """The random streams of one run. `Streams(seed).at(step)["positions"]` is a fresh generator on the CPU.

    Drawing on the CPU makes a run choose the same positions whatever device the model is on.
    """

    def __init__(self, seed: int, step: int = 0):
        self.seed = seed
        self.step = step

    def at(self, step: int) -> "Streams":
        """The streams of one step: here a forward pass over one micro-batch."""
        return Streams(self.seed, step)

    def __getitem__(self, purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(derive(self.seed, purpose, self.step))
