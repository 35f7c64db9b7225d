"""Whether bf16 autocast pays on this machine: a short measurement, once per process, recorded with each run.

A study's file is checked against PRECISIONS before anything is trained, so torch is imported where it measures.
"""

from __future__ import annotations

import time
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

from masktune.errors import one_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn
    from transformers import PreTrainedConfig

PRECISIONS = ("auto", "fp32", "bf16")
# Below this hidden size the casts cost more than the faster products give back.
SMALLEST_HIDDEN_SIZE = 256
SPEEDUP = 1.25


def choose(requested: str, config: PreTrainedConfig, device: torch.device) -> str:
    """The precision, "fp32" or "bf16", for a model with this configuration on this device; "auto" measures.

    Raises MaskTuneError for any other request.
    """
    one_of(requested, PRECISIONS, "precision")
    if requested != "auto":
        return requested
    size = getattr(config, "hidden_size", None) or config.d_model
    if size < SMALLEST_HIDDEN_SIZE:
        return "fp32"
    return "bf16" if bf16_speedup(device.type, size) >= SPEEDUP else "fp32"


@cache
def bf16_speedup(device: str, size: int) -> float:
    """Seconds in fp32 over seconds in bf16 of the products of one feed-forward layer of this hidden size."""
    import torch
    from torch import nn

    # The measurement leaves no trace: not in the random state, and it works where gradients are switched off.
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        layer = nn.Sequential(nn.Linear(size, 4 * size), nn.Linear(4 * size, size)).to(device)
        tokens = torch.randn(512, size, device=device)
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(7):
            for enabled in (True, False):
                seconds[enabled].append(_seconds(layer, tokens, enabled))
    return median(seconds[False]) / median(seconds[True])


def _seconds(layer: nn.Module, tokens: Tensor, bf16: bool) -> float:
    """Wall time of one forward and backward pass."""
    import torch

    start = time.perf_counter()
    with torch.autocast(tokens.device.type, torch.bfloat16, enabled=bf16):
        layer(tokens).sum().backward()
    if tokens.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start
