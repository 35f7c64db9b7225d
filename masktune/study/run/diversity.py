"""The experiment on diversity of a study: perturb the same examples along training and measure what came out.

`make` is executed with the cells of the study (`masktune.study.execute.runner`); what it keeps is gathered with them.
"""

import numpy as np
import pandas as pd

from masktune.files import write_file
from masktune.statistics import diversity
from masktune.study.design.arms import cells_of, kept_file
from masktune.study.design.load import load_study
from masktune.study.run import perturbed
from masktune.study.run.perturbed import Perturbations, Snapshot


def make(study_name: str) -> None:
    """Run the experiment of a study and keep its numbers, see `measure`, among its runs."""
    study = load_study(study_name)
    write_file(kept_file(study), measure(perturbed.collect(cells_of(study))).to_csv(index=False))


def measure(perturbations: Perturbations) -> pd.DataFrame:
    """A row for each arm, seed and epoch: label, seed, epoch, sources and draws (how many), and what was measured.

    `masked`: share of texts in which something was masked, `restored`: share of masked tokens that came back as they
    were, the others as in masktune.statistics.diversity.
    """
    rows = []
    texts_so_far: dict[tuple[str, int], list[np.ndarray]] = {}
    for snapshot in perturbations.snapshots:
        seen = texts_so_far.setdefault((snapshot.label, snapshot.seed), [])
        seen.append(snapshot.texts)
        rows.append(
            {
                "label": snapshot.label, "seed": snapshot.seed, "epoch": snapshot.epoch,
                "sources": len(perturbations.sources), "draws": len(snapshot.texts),
                **_measure_tokens(snapshot, perturbations.sources, perturbations.words),
                "distinct_so_far": diversity.distinct_texts(np.concatenate(seen), perturbations.sources),
                **_measure_meanings(snapshot, perturbations.references),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _measure_tokens(snapshot: Snapshot, sources: np.ndarray, words: np.ndarray) -> dict[str, float]:
    texts = [text[is_word].tolist() for draw in snapshot.texts for text, is_word in zip(draw, words, strict=True)]
    return {
        "masked": float(snapshot.positions.any(-1).mean()),
        "restored": diversity.restored(snapshot.texts, sources, snapshot.positions),
        "changed": diversity.share_changed(snapshot.texts, sources),
        "distinct": diversity.distinct_texts(snapshot.texts, sources),
        "distinct_1": diversity.distinct_n(texts, 1),
        "distinct_2": diversity.distinct_n(texts, 2),
    }


def _measure_meanings(snapshot: Snapshot, references: np.ndarray) -> dict[str, float]:
    by_source = snapshot.embeddings.swapaxes(0, 1)
    every = by_source.reshape(-1, by_source.shape[-1])
    return {
        "distance": 1 - float(diversity.pairwise_similarity(by_source).mean()),
        "vendi_source": float(diversity.vendi_score(by_source).mean()),
        "vendi": float(diversity.vendi_score(every)),
        "coverage": diversity.coverage(references, every),
    }
