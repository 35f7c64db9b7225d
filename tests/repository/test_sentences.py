"""Sentences that state facts, each beside what makes it true: in the code, or in the results as they are committed.

The results are read from the last commit, so that runs of one's own break nothing here.
"""

import io
import json
import re
import subprocess
import tomllib
from itertools import product
from pathlib import Path

import pandas as pd
import pytest

from masktune import data
from masktune.analysis import comparisons, diversity
from masktune.analysis.claims.paper import CLAIMS
from masktune.data import world
from masktune.data.world import sentiment, settings
from masktune.study.design.claims import LEVEL, seeds_needed, smallest_p
from masktune.study.design.comparisons import places
from masktune.study.design.load import load_study

ROOT = Path(__file__).parents[2]
OURS, MASKABLE = "Mask-tuning", "Mask-tuning, MLM mean over all tokens"
FACTS = []


def fact(path, sentence):
    """Keep a sentence of a file with the function that says whether it is so."""

    def keep(check):
        FACTS.append(pytest.param(path, sentence, check, id=check.__name__))
        return check

    return keep


def prose(path):
    """The text of a file, of a notebook that of its words alone, in one line."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return " ".join(re.sub(r"^# ", "", text, flags=re.MULTILINE).split())


def git(*words):
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the files as committed cannot be read: no git, or no repository")


def committed(path):
    """A table of results/ as it is in the last commit."""
    content = io.BytesIO(git("show", f"HEAD:results/{path}"))
    return pd.read_parquet(content) if path.endswith(".parquet") else pd.read_csv(content)


def differences(study, second):
    table = committed(f"{study}/tables/differences.csv")
    return table[table["second"] == second].set_index("set")


@fact("README.md", "No study here has run the paper's own models yet")
def the_study_of_the_paper_has_no_results():
    return load_study("paper").data == "real" and not git("ls-tree", "HEAD", "results/paper")


@fact("README.md", "Cost was measured on CPUs alone")
def the_benchmark_saw_no_gpu():
    return json.loads(git("show", "HEAD:results/bench/machine.json"))["gpu"] is None


@fact("README.md", "Every method of `methods`, controls and combinations too, had the same number of trials")
@fact("notebooks/06_mechanism.ipynb", "Each control had the same number of trials of its settings as Mask-tuning")
def equal_treatment():
    study = load_study("methods")
    trials = pd.read_csv(ROOT / "studies" / "tuned" / "methods.csv").groupby(["label", "model", "task"]).size()
    own = {row.label for row in study.grid if row.tuned_as is None}
    others = {row.label for row in study.grid if row.tuned_as is not None}
    alike = set(trials) == {study.tuning.trials} and set(trials.index.unique("label")) == own
    return alike and others == {"fine-tuning, cue-free"}


@fact("README.md", "corrected by Holm (ablations: Benjamini-Hochberg)")
@fact("studies/ablations.toml", "the fewest with which a two-sided sign-flip test over pairs can reach 0.05")
@fact("studies/embedded.toml", "over eight comparisons can pass Holm's correction (8 x 2 / 2^10 = 0.016)")
@fact("notebooks/09_claims.ipynb", "five cannot reach 0.05 on two sides")
def what_few_seeds_allow():
    study = load_study("embedded")
    tested = [claim for claim in study.claims if claim.test != "estimate" and claim.family == "headline"]
    kinds = [kind for task in data.EVALUATION["embedded"].values() for kind in task.values()]
    comparisons_of = sum(kinds.count(claim.kind) for claim in tested)
    families = {claim.family for claim in load_study("ablations").claims}
    return (comparisons_of, families, seeds_needed(LEVEL, 2)) == (8, {"ablation"}, 6) and [
        round(8 * smallest_p(10), 3), smallest_p(5)
    ] == [0.016, 0.0625]  # fmt: skip


@fact("notebooks/02_ablations.ipynb", "Three seeds give an estimate and an interval, and no verdict")
@fact("notebooks/02_ablations.ipynb", "The masking rates, and alpha on sentiment, where the paper names a best value")
@fact("notebooks/02_ablations.ipynb", "so have most readings of what the paper leaves open")
@fact("notebooks/02_ablations.ipynb", "One model, one task (two for alpha)")
def which_ablations_have_six_seeds():
    study = load_study("ablations")
    six = {(cell.label.partition(" (")[0], cell.task) for cell in study.cells if len(cell.seeds) == 6}
    main = set(product(("fine-tuning", OURS, "fine-tuning, cue-free", "alpha"), ("sentiment", "inference")))
    readings = {
        "masking rate", "mean of the MLM loss", "tokens", "80/10/10", "fill", "soft fill, with gradient",
        "fills without dropout", "original and perturbed", "hard filter", "both, filtered, mean over all tokens",
    }  # fmt: skip
    tasks = {row.label: row.tasks for row in study.grid if row.part == "ablation"}
    one = {label for label, named in tasks.items() if named == ("inference",)}
    expected = main | {(label, "inference") for label in readings}
    return six == expected and set(tasks) - one == {"alpha"} and len(study.models) == 1


@fact("notebooks/03_why.ipynb", "The published gains are positive on every set")
def published_gains():
    return all(claim.points > 0 for claim in CLAIMS if claim.points is not None)


@fact("notebooks/03_why.ipynb", "Mask-tuning lost 17 to 23 points of accuracy in trainings of 375 to 500 steps")
def what_had_been_seen_before_the_collapse_was_declared():
    said = prose("studies/collapse.toml")
    return "minus 17 to minus 23 points in trainings of 375 to 500 steps of MiniLM-L6" in said


@fact("notebooks/03_why.ipynb", "trained for three numbers of steps, with its language model adapted for four")
@fact("notebooks/03_why.ipynb", "Its file declares two slopes")
def places_of_the_collapse():
    study = load_study("collapse")
    [declared] = study.slopes
    return len(places(study, declared)) == 3 * len(study.models) == 12 and len(declared.over) == 2


@fact("notebooks/03_why.ipynb", "Alpha 0.6 multiplies this ratio by 1.5 (0.6/0.4)")
def weights_of_the_two_terms():
    return round(0.6 / (1 - 0.6), 3) == 1.5


@fact("notebooks/04_baselines.ipynb", "three of these methods are told the cue")
def methods_that_are_told_the_cue():
    study = load_study("methods")
    told = {row.label for row in study.grid for each in row.variants if each.options.get("bias_model") == "cue"}
    return len(told & set(comparisons.numbers.labels(study, "baseline"))) == 3


@fact("notebooks/04_baselines.ipynb", "Forgettable examples alone take more steps")
def steps_of_the_baselines():
    study, runs = load_study("methods"), committed("methods/runs.parquet")
    shown = runs[(runs["model"] == "bert") & runs["label"].isin(comparisons.numbers.labels(study, "main", "baseline"))]
    steps = shown.groupby(["task", "label"])["steps"].mean().unstack("task")
    return steps.index[(steps > steps.loc["fine-tuning"]).any(axis=1)].tolist() == ["forgettable examples"]


@fact("notebooks/07_cost.ipynb", "Small models lie furthest above their bound")
def models_above_their_bound():
    steps = committed("bench/step_cost.csv").query("arm == '(d) our Mask-tuning'").set_index("size")
    furthest = steps.groupby("lengths")["times_the_bound"].idxmax()
    return set(furthest) == {"tiny"} and len(furthest) > 1


@fact("notebooks/08_diversity.ipynb", "diversity is counted in nine ways and compared with two")
def measures_of_diversity():
    against = {first for second, first in diversity.numbers.RATIOS if second == OURS}
    return (len(diversity.numbers.MEASURES), len(against)) == (9, 2)


@fact(
    "notebooks/10_length.ipynb", "cut after 256 tokens; here the **same trained models** read 128, 256 and 512 tokens"
)
def lengths_of_the_laptop_study():
    cut = data.max_lengths("real", "sentiment")
    lengths = load_study("laptop").task_training["sentiment"].evaluation_lengths
    return (cut["imdb_contrast"], cut["imdb_cad"], lengths) == (256, 256, (128, 512))


@fact(
    "notebooks/00_start_here.ipynb",
    "After twenty passes both had more than 95 % on `validation` with every seed of the study `convergence`; after "
    "ten, fine-tuning had, and Mask-tuning not yet.",
)
def passes_after_which_both_methods_know_the_task():
    seeds = committed("convergence/tables/seeds.csv")
    validation = seeds[(seeds["task"] == "sentiment") & (seeds["set"] == "validation")]
    lowest = validation.groupby("method")["accuracy"].min()
    known = [lowest[f"{method} (epochs {epochs})"] > 95 for epochs in (20, 10) for method in ("fine-tuning", OURS)]
    return known == [True, True, True, False]


@fact("notebooks/00_start_here.ipynb", "Three of four train reviews name a genre, and there it agrees with the label")
@fact("notebooks/00_start_here.ipynb", "In this world the first has a genre that usually goes with praise, the second")
def genres_of_the_first_chapter():
    """The two sentences of the chapter name a comedy and a western."""
    genre = {name: label for label, genres in sentiment.CUES.items() for name in genres}
    named = [
        genre[word] == row["label"]
        for row in world.load("sentiment").train
        for word in sentiment.words(row["text"])
        if word in genre
    ]
    rows = settings.TRAIN_ROWS["sentiment"]
    return (genre["comedy"], genre["western"]) == (1, 0) and (
        abs(len(named) / rows - 0.75) < 0.05 and abs(sum(named) / len(named) - 0.99) < 0.01
    )


@fact(
    "notebooks/07_cost.ipynb", "a text of 10 tokens holds a mask with a probability of 40 %, one of 40 tokens with 87 %"
)
def texts_that_hold_a_mask():
    return [round(100 * (1 - 0.95**tokens)) for tokens in (10, 40)] == [40, 87]


@fact("notebooks/08_diversity.ipynb", "Vendi score of all texts hardly moved by what a language model fills in?")
@fact("notebooks/08_diversity.ipynb", "look at that of random tokens")
def what_moves_diversity():
    arms = diversity.numbers.by_run(committed("embedded/diversity.csv")).groupby("label").mean()
    filled = arms["vendi"].drop("random tokens")
    return filled.max() / filled.min() < 1.1 and arms["distance"].idxmax() == "random tokens"


@pytest.mark.parametrize(("path", "sentence", "holds"), FACTS)
def test_the_sentence_stands_there_and_is_true(path, sentence, holds):
    assert sentence in prose(path)
    assert holds()


def claims_of(text):
    """What a study's file tests, each with the last comment above it."""
    comments, comment = [], []
    for before, line in zip(["", *text.splitlines()], text.splitlines(), strict=False):
        if line.startswith("#"):
            comment = [*(comment if before.startswith("#") else []), line]
        elif line == "[[claims]]":
            comments.append(" ".join(comment))
    for claim, above in zip(tomllib.loads(text)["claims"], comments, strict=True):
        # In the history of the files, `method` was called `first` and `against` was called `second`.
        sides = [claim.get("method") or claim["first"], claim.get("against") or claim["second"]]
        sides = [[side] if isinstance(side, str) else side for side in sides]
        if claim["test"] != "estimate":
            yield from (((*pair, claim["kind"], claim["test"]), above) for pair in product(*sides))


@pytest.mark.parametrize("name", ["embedded", "methods", "ablations", "convergence", "laptop", "collapse"])
def test_what_is_tested_was_declared_before_the_first_results_or_the_file_says_otherwise(name):
    """README: "Gates and claims are declared before a study runs". Results of an earlier declaration do not count."""
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("the first results are not in the history of this clone")
    study = load_study(name)
    declared = {cell.run_id(seed) for cell in study.cells for seed in cell.seeds}
    first = next((commit for commit in results_commits(name) if declared & finished(commit, name)), None)
    if first is None:
        pytest.skip(f"{name} has no results as it is declared")
    then = {tested for tested, _ in claims_of(git("show", f"{first}^:studies/{name}.toml").decode())}
    now = claims_of(git("show", f"HEAD:studies/{name}.toml").decode())
    assert all("Declared when" in above for tested, above in now if tested not in then)
    before, after = (git("show", f"{commit}:studies/{name}.toml").decode() for commit in (f"{first}^", "HEAD"))
    gates, todays = (tomllib.loads(text).get("gates", {}) for text in (before, after))
    assert all(todays[gate] == asked for gate, asked in gates.items()), "what was asked for has changed"
    assert all(f"The {gate} was added when" in after for gate in todays.keys() - gates.keys())


def results_commits(name):
    """The commits that changed the stored runs of a study, the oldest first."""
    return (
        git("log", "--reverse", "--diff-filter=AM", "--format=%H", "--", f"results/{name}/runs.parquet")
        .decode()
        .split()
    )


def finished(commit, name):
    """The ids of the runs that a commit held as finished."""
    runs = pd.read_parquet(io.BytesIO(git("show", f"{commit}:results/{name}/runs.parquet")))
    return set(runs.loc[runs["status"] == "done", "run_id"])
