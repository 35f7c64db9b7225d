"""From stored runs to numbers, tables, figures and the report. Nothing here trains.

answers       stored frames -> blocks: the answers of every method and seed on one evaluation set
results       all tables and figures of one study, and their files
overview      a study in a few sentences
table         a table and its files; formatting has numbers and shared phrases as text, names the titles of things
provenance    by which code and in which precision runs were made;  stamps what a file was made from
display       what notebooks show besides tables and figures
plotting      one look, one palette, what all figures share, their alternative texts
report        executes the chapter notebooks and writes the folder of HTML
summary       RESULTS.md and what README says of the results: all studies on one page

One package a subject, each with numbers (frames, one number a row), tables, figures and text (sentences):
accuracy, claims, readings, collapse, inference, published, ablations, gradients, comparisons, cost, diversity,
language_models, lengths, tuning.
"""

from collections.abc import Sequence
from pathlib import Path


def build(study_name: str) -> list[Path]:
    """Bring results/<study>/tables and figures up to date, see `results.build`. Returns their paths."""
    from masktune.analysis import results

    return results.build(study_name)


def write_report(study_name: str, preload: Sequence[str] = ()) -> Path:
    """Execute the chapters where something changed, and write the report. Returns the path of its index.html.

    `preload` names modules that the kernels of the chapters find imported.
    """
    from masktune.analysis.report.build import write

    return write(study_name, preload)
