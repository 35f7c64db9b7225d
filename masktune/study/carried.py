"""Runs that were gathered before and whose folders are not here: made on another machine, or in another clone.

What is gathered is what is published, so gathering again keeps it: a study can be run a task at a time, wherever there
is time for it. A run is known by its id, which says what was run; a folder of it that is here goes before.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow


def rows(path: Path, run_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Those of the runs that the gathered table at `path` holds as done: what it says of each, by its id."""
    if not run_ids or not path.is_file():
        return {}
    import pandas

    found = pandas.read_parquet(path, filters=[("run_id", "in", list(run_ids)), ("status", "==", "done")])
    found = found.astype(object).where(found.notna(), None)
    return {row["run_id"]: row for row in found.to_dict("records")}


def predictions(path: Path, run_ids: Collection[str], schema: "pyarrow.Schema") -> "pyarrow.Table":
    """What the gathered predictions at `path` hold of the runs."""
    import pyarrow.parquet

    return pyarrow.parquet.read_table(path, filters=[("run_id", "in", list(run_ids))]).select(schema.names).cast(schema)


def histories(path: Path, run_ids: Collection[str]) -> list[dict[str, Any]]:
    """What the gathered training logs at `path` hold of the runs, entry by entry."""
    import pandas

    return pandas.read_parquet(path, filters=[("run_id", "in", list(run_ids))]).to_dict("records")


def digests(row: dict[str, Any]) -> dict[str, str]:
    """The digest of each set of data that a run saw; none where an older version gathered it."""
    return json.loads(row.get("digests") or "{}")
