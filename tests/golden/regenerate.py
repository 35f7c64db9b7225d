"""The frozen study: how its expected tables are made again after a change that is meant.

python tests/golden/regenerate.py           the tables, from the stored predictions; then read `git diff tests/golden`
python tests/golden/regenerate.py --data    the predictions too, drawn by tests/synthetic_study.py
"""

import sys
import tomllib
from pathlib import Path

import pandas as pd

from masktune.analysis import accuracy, results
from masktune.analysis.table import write as write_table
from masktune.study.design.load import parse_study

HERE = Path(__file__).parent
TABLES = HERE / "tables"


def write_tables(folder: Path) -> None:
    """Every table of the frozen study, in every format."""
    study = parse_study(tomllib.loads((HERE / "golden.toml").read_text(encoding="utf-8")))
    frames = (pd.read_parquet(HERE / f"{name}.parquet") for name in ("runs", "predictions"))
    found = results.of(*frames, study)
    for table in (*found.tables, accuracy.tables.seeds(found.seeds)):
        write_table(table, folder)


def draw_data() -> None:
    """Nine seeds of two methods on twelve examples a set, one run failed; a gain out of distribution."""
    from synthetic_study import make, with_failures

    runs, predictions = with_failures(*make(seeds=9, examples=12, gain=0.9), failed=1, missing=0)
    for name, frame in (("runs", runs), ("predictions", predictions)):
        frame.to_parquet(HERE / f"{name}.parquet", index=False, compression="zstd", compression_level=19)


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]
    if "--data" in sys.argv:
        draw_data()
    TABLES.mkdir(exist_ok=True)
    for path in TABLES.iterdir():
        path.unlink()
    write_tables(TABLES)
