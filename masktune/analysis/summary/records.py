"""What is declared and stored of each study: its runs and the tables that were made from them.

Tables are read as `results.build` wrote them, so that a page on all studies is made in seconds. Where a stored run is
not one that the study declares today, or saw other data, the study was changed after its results were gathered: then
nothing of them is shown.
"""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from masktune.analysis import claims
from masktune.study.design.load import load_study
from masktune.study.design.study import Study
from masktune.study.paths import folder, studies
from masktune.study.store import gather, previous

# What a table must have; one that lacks some of them was written by an older version.
_COLUMNS = {
    "claims": claims.numbers.COLUMNS, "conclusions": claims.numbers.CONCLUSIONS, "trained": claims.gates.TRAINED,
    "gates": claims.gates.CONTRASTS,
    "slopes": ["basis", "kind", "method", "over", "seeds", "slope", "low", "high", "p"],
}  # fmt: skip
# In the order in which they are read; studies of one's own come after them.
ORDER = ("embedded", "methods", "ablations", "convergence", "laptop", "collapse", "paper", "sizes")


@dataclass(frozen=True)
class Record:
    """A study, and what is stored of it."""

    study: Study

    @property
    def name(self) -> str:
        return self.study.name

    @cached_property
    def declared(self) -> frozenset[str]:
        """The ids of all runs that the study declares."""
        return frozenset(cell.run_id(seed) for cell in self.study.cells for seed in cell.seeds)

    @cached_property
    def stored(self) -> pd.DataFrame:
        """All runs as they were gathered; no rows where none were."""
        path = folder(self.name) / gather.RUNS
        return pd.read_parquet(path) if path.is_file() else pd.DataFrame(columns=["run_id", "status"])

    @cached_property
    def done(self) -> pd.DataFrame:
        """The finished runs of the study as it is declared; none where what is stored is outdated."""
        return self.stored[(self.stored["status"] == "done") & (not self.is_outdated)]

    @property
    def failed(self) -> int:
        return int((self.stored["status"] == "failed").sum())

    @cached_property
    def is_outdated(self) -> bool:
        """Whether runs are stored that the study does not declare, or that saw another embedded world."""
        finished = self.stored[self.stored["status"] == "done"]
        return not finished["run_id"].isin(self.declared).all() or _saw_another_world(finished)

    @property
    def has_results(self) -> bool:
        return len(self.done) > 0

    def table(self, name: str) -> pd.DataFrame:
        """A stored table as numbers; an empty one where it is not there, or is of another declaration or version."""
        path = folder(self.name) / "tables" / f"{name}.csv"
        if not self.has_results or not path.is_file():
            return pd.DataFrame()
        frame = pd.read_csv(path)
        if not set(_COLUMNS.get(name, ())) <= set(frame):
            return pd.DataFrame()
        texts = [column for column in ("reason", "gate", "gate_reason", "control", "remedies") if column in frame]
        return frame.assign(**{column: frame[column].fillna("") for column in texts})


def _saw_another_world(finished: pd.DataFrame) -> bool:
    if "digests" not in finished:
        return False
    return previous.saw_another_world(finished[finished["digests"].notna()].to_dict("records"))


def read() -> list[Record]:
    """Every study that the working folder and the project declare, in the order in which they are read."""
    names = studies()
    known = [name for name in ORDER if name in names]
    return [Record(load_study(name)) for name in [*known, *(name for name in names if name not in ORDER)]]
