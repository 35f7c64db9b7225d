"""Perturbations as `masktune.study.run.perturbed.collect` gives them, made up."""

import numpy as np

from masktune.study.design.arms import ARMS, FROZEN, MASK_TUNING, MLM_ONLY, RANDOM
from masktune.study.run.perturbed import Perturbations, Snapshot


def perturbations() -> Perturbations:
    """Three seeds, two epochs. Mask-tuning changes a quarter of its texts, frozen fills half, the others all."""
    rng = np.random.default_rng(0)
    sources = rng.integers(10, 99, size=(8, 6))
    changing = {MASK_TUNING: 2, FROZEN: 4, MLM_ONLY: 8, RANDOM: 8}
    snapshots = []
    for label in ARMS:
        for seed in range(3):
            for epoch in range(3):
                texts = np.repeat(sources[None], 4, axis=0)
                texts[:, : changing[label], 0] = rng.integers(100, 999, size=(4, changing[label]))
                positions = np.zeros_like(texts, dtype=bool)
                positions[..., 0] = True
                vectors = np.random.default_rng(seed).normal(size=(4, 8, 5)) + (texts != sources).any(-1)[..., None]
                snapshots.append(Snapshot(label, seed, epoch, positions, texts, vectors))
    return Perturbations(sources, np.ones_like(sources, dtype=bool), rng.normal(size=(30, 5)), tuple(snapshots))
