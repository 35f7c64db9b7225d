"""From stored runs to numbers, tables, figures and the report. Nothing here trains.

statistics    accuracy, intervals over seeds or examples, tests: arrays in, numbers out
crossed       means over seeds x clusters of examples;  multiplicity many tests at once
blocks        stored frames -> arrays: the answers of every method and seed on one set
tables        blocks -> frames, one number a row;  presentation lays them out and writes CSV, Markdown, LaTeX
claims        declared claims -> estimates, tests, verdicts;  claim_tables lays them out
paper_claims  what the paper claims;  observations holds it against every study's stored claims
ablations     one setting varied while the others stay;  terms the two losses along training;  curves draws both
trials        what tuning tried and chose;  lengths the same runs with their texts cut at other lengths
diversity     of perturbed texts;  diversity_page lays it out
slider        the curves at one value of a second setting, chosen by the reader where there is one
origins       by which code and in which precision runs were made
cost          what runs cost;  cost_page lays it out
theme         one look, one palette;  figures and drawing use it;  panels is what all figures share
findings      what a figure shows and what is missing, in words for its alternative text
story         sentences made from the tables
results       all of it for one study
chapters      executes the chapter notebooks;  pages and reporting write the folder of HTML
"""

from pathlib import Path


def build(study_name: str) -> list[Path]:
    """Write results/<study>/tables and figures from the gathered files; returns their paths.

    Does nothing when they were made from the same runs by the same code; the page of the paper's claims follows the
    stored tables of every study. Raises MaskTuneError if nothing is gathered.
    """
    from masktune.analysis import stamps as files
    from masktune.analysis.claims import observations
    from masktune.study.paths import folder

    home = folder(study_name)
    made_from, inputs = home / "made_from.json", files.results_inputs(study_name)
    if not files.is_fresh(made_from, inputs):
        from masktune.analysis import results

        files.stamp(made_from, inputs, results.write(results.read(study_name), home))
    observations.write(home)
    return sorted(path for part in ("tables", "figures") for path in (home / part).iterdir())


def write_report(study_name: str) -> Path:
    """Execute the chapters where something changed, and write the report. Returns the path of its index.html."""
    from masktune.analysis.report.build import write

    return write(study_name)
