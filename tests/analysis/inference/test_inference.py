"""Sub-cases and foldings: numbers that are known beforehand."""

import numpy as np
import pandas as pd
import pytest

from masktune.analysis import inference
from masktune.analysis.answers import blocks
from masktune.analysis.inference.numbers import ARGMAX, SUM

SEEDS, SUBCASES, EACH = 3, 4, 20
# Entailment is the likeliest of three with less than half, clearly the likeliest, not the likeliest.
UNDECIDED, ENTAILED, OTHER = [0.4, 0.3, 0.3], [0.8, 0.1, 0.1], [0.2, 0.5, 0.3]


def answers_of(run_id, probabilities):
    """20 examples of each of four sub-cases, two of them of entailment; every one answered with these probabilities."""
    rows = []
    for number in range(SUBCASES * EACH):
        subcase, label = number // EACH, number // EACH % 2
        fold = int(np.argmax(probabilities[subcase]) > 0)
        rows.append(
            {"run_id": run_id, "set": "hans", "kind": "out_of_distribution", "example_id": f"{number:03d}",
             "cluster_id": f"ln_case_{subcase}", "group": f"lexical_overlap/{label}", "label": label,
             "prediction": fold, "logits": np.log(probabilities[subcase]).astype(np.float32)}
        )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def found():
    """Fine-tuning always says entailed, undecided on the first sub-case; Mask-tuning is right but on the last."""
    by_method = {
        "fine-tuning": [UNDECIDED, ENTAILED, ENTAILED, ENTAILED],
        "Mask-tuning": [ENTAILED, OTHER, ENTAILED, UNDECIDED],
    }
    runs, frames = [], []
    for method, probabilities in by_method.items():
        for seed in range(SEEDS):
            run_id = f"{method}-{seed}"
            name = method.replace("-", "_").lower()
            runs.append({"run_id": run_id, "model": "bert", "task": "inference", "method": name, "label": method,
                         "seed": seed, "status": "done", "error": "", "part": "main"})  # fmt: skip
            frames.append(answers_of(run_id, probabilities))
    return blocks(pd.DataFrame(runs), pd.concat(frames, ignore_index=True))


def test_each_subcase_has_its_accuracy_and_its_range_over_seeds(found):
    frame = inference.numbers.subcases(found)
    assert len(frame) == 2 * SUBCASES and (frame["examples"] == EACH).all() and (frame["seeds"] == SEEDS).all()
    by_method = frame.pivot(index="subcase", columns="method", values="accuracy")
    assert by_method["fine-tuning"].tolist() == [100, 0, 100, 0]
    assert by_method["Mask-tuning"].tolist() == [100, 100, 100, 0]
    assert (frame["lowest"] == frame["highest"]).all()
    shown = inference.tables.subcases(frame).shown
    assert "100.0 (100.0 to 100.0)" in shown.to_string() and "lexical overlap, not entailed" in shown.to_string()


def test_both_rules_by_hand(found):
    frame = inference.numbers.foldings(found).set_index(["method", "rule"])
    # Fine-tuning, first sub-case: 0.4 is the largest of three and less than 0.3 + 0.3.
    assert frame.loc[("fine-tuning", ARGMAX), "accuracy"] == 50 and frame.loc[("fine-tuning", SUM), "accuracy"] == 25
    assert frame.loc[("Mask-tuning", ARGMAX), "accuracy"] == 75 and frame.loc[("Mask-tuning", SUM), "accuracy"] == 100
    assert frame.loc[("fine-tuning", ARGMAX), "entailed"] == 100 and frame.loc[("fine-tuning", SUM), "entailed"] == 75
    assert (frame["disagree"] == 25).all()
    assert frame.loc[("Mask-tuning", ARGMAX), "difference"] == 25
    assert frame.loc[("Mask-tuning", SUM), "difference"] == 75
    # By p(not entailed): Mask-tuning ranks every example of it above every other.
    assert frame.loc[("Mask-tuning", SUM), "auroc"] == 100 and frame.loc[("fine-tuning", SUM), "auroc"] == 25
    table = inference.tables.foldings(inference.numbers.foldings(found))
    assert "fine-tuning [95 %]" in " ".join(table.shown.columns)


def test_folding_the_largest_logit_gives_the_stored_predictions(found):
    for block in found:
        for answers in block.answers:
            assert (inference.numbers.fold(answers, ARGMAX) == answers.predictions).all()


def test_sets_without_subcases_or_with_classes_of_their_own_have_no_such_tables(gathered):
    all_blocks = blocks(*gathered)
    assert inference.numbers.subcases(all_blocks).empty and inference.numbers.foldings(all_blocks).empty
