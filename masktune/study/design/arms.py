"""The experiment on diversity of a study: its arms, their cells, and where its numbers are kept.

The same train examples are masked and filled along training by language models that are trained in different ways
(`masktune.study.run.diversity`). It runs with the cells of the study, and its numbers are gathered with theirs.
"""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from masktune.errors import MaskTuneError
from masktune.files import digest
from masktune.records import canonical
from masktune.study.design.cells import Cell
from masktune.study.design.diversity import Diversity
from masktune.study.design.study import Study
from masktune.study.paths import folder, runs_folder

MASK_TUNING, MLM_ONLY, FROZEN, RANDOM = "Mask-tuning", "MLM-only training", "frozen fills", "random tokens"
# At alpha 1 nothing is left of the loss but the masked-LM term. In random tokens no language model has a part.
ARMS: dict[str, dict[str, Any]] = {
    MASK_TUNING: {},
    MLM_ONLY: {"alpha": 1},
    FROZEN: {"alpha": 0, "encoder": "frozen"},
    RANDOM: {"alpha": 0, "fill": "random"},
}
SOURCES, REFERENCES, DRAWS = 200, 400, 8


def cells_of(study: Study) -> list[Cell]:
    """The cell of each arm: the first model of the study, trained as its Mask-tuning is where it has that."""
    declared, model = _diversity_of(study), study.models[0]
    alike = [cell for cell in study.cells if (cell.task, cell.model.name) == (declared.task, model.name)]
    ours = next((cell.training for cell in alike if cell.method == "mask_tuning"), study.task_training[declared.task])
    return [
        Cell(
            study=study.name,
            label=label,
            data=study.data,
            task=declared.task,
            model=model,
            method="mask_tuning",
            training=ours,
            options=options,
            seeds=tuple(range(declared.seeds)),
        )
        for label, options in ARMS.items()
    ]


def _diversity_of(study: Study) -> Diversity:
    if study.diversity is None:
        raise MaskTuneError(f"the study {study.name!r} declares no experiment on diversity; add a [diversity] table")
    return study.diversity


def kept_file(study: Study) -> Path:
    """Where the numbers are kept until they are gathered; the name says what they were made from."""
    made_from = [[cell.identity for cell in cells_of(study)], _diversity_of(study).seeds, SOURCES, REFERENCES, DRAWS]
    name = digest(canonical(made_from))[:16]
    return runs_folder(study.name) / f"diversity-{name}.csv"


def is_gathered(study: Study, kept: Collection[str]) -> bool:
    """Whether results/<study>/diversity.csv holds every arm and seed of the experiment as the study declares it.

    The file does not say how its arms were trained. `kept`, the ids of the runs that were gathered with it, does, where
    one of them is of the same task, model and training.
    """
    arms, path = cells_of(study), gathered_file(study.name)
    same = [cell for cell in study.cells if _trained(cell) == _trained(arms[0])]
    if not path.is_file() or not any(cell.run_id(seed) in kept for cell in same for seed in cell.seeds):
        return False
    with path.open(encoding="utf-8", newline="") as file:
        found = {(row.get("label"), row.get("seed")) for row in csv.DictReader(file)}
    return found == {(cell.label, str(seed)) for cell in arms for seed in cell.seeds}


def _trained(cell: Cell) -> tuple[Any, ...]:
    return cell.data, cell.task, cell.model, cell.training


def gathered_file(study_name: str) -> Path:
    """The file results/<study>/diversity.csv."""
    return folder(study_name) / "diversity.csv"
