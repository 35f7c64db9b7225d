"""What a study declares of the experiment on diversity: [diversity] with a task and a number of seeds."""

from dataclasses import dataclass
from typing import Any

from masktune.records import among, record, require


@dataclass(frozen=True)
class Diversity:
    """What a study declares: on which task, with how many seeds."""

    task: str
    seeds: int = 3

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", self.seeds, "at least 1")


def parse_diversity(table: Any, tasks: tuple[str, ...]) -> Diversity | None:
    """The [diversity] table, None where there is none. Raises MaskTuneError for a task that the study does not have."""
    if table is None:
        return None
    declared = record(Diversity, table, "[diversity]")
    among(declared.task, tasks, "task of the study", "[diversity]")
    return declared
