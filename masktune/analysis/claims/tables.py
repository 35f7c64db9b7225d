"""Claims laid out for reading: the comparisons of each declared claim, its conclusion, and the paper's claims."""

from typing import Any

import pandas as pd

from masktune.analysis import names
from masktune.analysis.answers import LOPSIDED
from masktune.analysis.claims.gates import NO_GATES
from masktune.analysis.claims.page import model_titles
from masktune.analysis.formatting import (
    CROSSED,
    DASH,
    MINUS,
    VARIES,
    count,
    interval,
    number,
    p_value,
    secondary_metrics_note,
)
from masktune.analysis.table import Table, name_columns, name_values
from masktune.study.design.claims import LEVEL
from masktune.study.plan.power import POWER

LISTED = 6  # differences in one cell of the page of claims
SETTINGS = {"embedded": "Embedded world", "laptop": "Laptop", "paper": "Paper's models and data"}
CORRECTIONS = "Holm's correction among headline claims, Benjamini-Hochberg's among ablations"


def claims(frame: pd.DataFrame) -> Table:
    """A row for each comparison of each claim."""
    rows = list(frame.itertuples())
    shown = frame[["claim", "task", "model", "set"]].assign(
        comparison=[f"{row.method} {MINUS} {row.against}" for row in rows],
        points=[_difference(row) for row in rows],
        asked=[_threshold(row) for row in rows],
        p=[_p_value(row.p) for row in rows],
        corrected=[_p_value(row.corrected_p) for row in rows],
        probability=[_or_dash(row.probability_greater, f"{row.probability_greater:.2f}") for row in rows],
        seeds=[str(int(row.seeds)) for row in rows],
        examples=[_or_dash(row.examples, f"{row.examples:.0f}") for row in rows],
        gates=[_gates(row) for row in rows],
        verdict=[verdict_with_reason(row.verdict, row.reason) for row in rows],
    )
    titles = {"points": "Difference [95 %]", "asked": "Asked for", "corrected": "Corrected p"}
    if frame["trained"].isin([NO_GATES]).all():
        shown = shown.drop(columns="gates")
    if frame["balanced"].notna().any():
        shown = shown.drop(columns="verdict").assign(**_secondary_columns(frame), verdict=shown["verdict"])
    if shown["comparison"].nunique() == 1:
        titles["points"] = f"{shown['comparison'].iloc[0]} [95 %]"
        shown = shown.drop(columns="comparison")
    observed = frame[frame["seeds"] > 0]
    caption = (
        f"The comparisons of each declared claim, in points of accuracy [{CROSSED}], "
        f"{count(observed['seeds'], 'paired seed')}, {count(observed['examples'], 'example')} a set. {VARIES}. p: "
        f"sign-flip test over paired seeds, two-sided for a gain, one-sided against the margin for a loss; corrected "
        f"for all declared comparisons of the family, where those that could not be tested count as 1: {CORRECTIONS}. "
        f"Reproduced: corrected p at most {LEVEL:g}, and the interval (for a margin its one-sided 95 % bound) clears "
        "what is asked for. Opposite: the same on the other side of what is asked for; for a margin that is worse by "
        "more than the margin, by the one-sided test in that direction, corrected alike. P(higher): how often a run of "
        "the one beats a run of the other. A dash: not run, or too few seeds for the test. "
        f"{_gates_note(frame)}{secondary_metrics_note(frame)}"
    )
    titles |= {"probability": "P(higher)", "gates": "Gates"}
    return Table("claims", "The declared claims, one by one", caption, frame, _name_columns(shown, titles))


def _gates(row: Any) -> str:
    """What the gates say of one comparison."""
    if row.trained == NO_GATES or not row.seeds:
        return DASH
    said = {"trained": row.trained, "control": row.control, "remedies": row.remedies}
    return "; ".join(f"{name}: {text}" for name, text in said.items() if text)


def _gates_note(frame: pd.DataFrame) -> str:
    if frame["trained"].isin([NO_GATES]).all():
        return "No gates declared."
    return (
        "Gates: which rows trained, whether the set's positive control passed, how many known remedies gain there; in "
        "distribution the other row alone has to have trained. A closed gate is the verdict, and the correction counts "
        "the comparison all the same."
    )


def conclusions(frame: pd.DataFrame) -> Table:
    """A row for each claim."""
    rows = list(frame.itertuples())
    shown = frame[["claim", "statement"]].assign(
        holds=[_counts(row) for row in rows],
        difference=[_range(row) for row in rows],
        seeds=[_span(row.fewest_seeds, row.seeds) for row in rows],
        verdict=[verdict_with_reason(row.verdict, row.reason) for row in rows],
    )
    caption = (
        "Each declared claim in all. Holds on: the largest number of comparisons (model x set) on which it holds at "
        f"{LEVEL:g}, by partial conjunction with Simes' combination (Benjamini and Heller 2008) of the sign-flip p "
        "values over paired seeds; each claim is judged for itself. Difference: the mean over comparisons in points of "
        f"accuracy, and from the lowest to the highest of them, no interval; {count(frame['seeds'], 'paired seed')} "
        f"where there are most. {VARIES}. Reproduced: on all comparisons; in part: on some; opposite: "
        "the opposite on all, for a margin worse by more than it. Comparisons that could not be tested count among "
        "those on which nothing is shown; those that a gate closes are left out of the difference and of the verdict, "
        "and count in the correction."
    )
    titles = {"statement": "Statement", "holds": "Holds on", "difference": "Difference (lowest to highest)"}
    return Table("conclusions", "The declared claims", caption, frame, _name_columns(shown, titles))


def page(frame: pd.DataFrame, compared: pd.DataFrame) -> Table:
    """A row for each declared claim with all that its verdict rests on. `frame`: `page.page`, `compared`: `claims`."""
    rows = list(frame.itertuples())
    several = frame["models"].nunique() > 1 or frame["models"].str.contains(",").any()
    shown = frame[["claim", "statement"]].assign(
        models=frame["models"].map(model_titles),
        reading=frame["reading"],
        head=[_head(row) for row in rows],
        gates=frame["gates"],
        difference=[_listed(row, compared[compared["claim"] == row.claim], several) for row in rows],
        size=[_size(row) for row in rows],
        verdict=[verdict_with_reason(row.verdict, row.reason) for row in rows],
        change=frame["change"],
    )
    caption = (
        "The declared claims and what each verdict rests on. Reading: the settings of the first row, where the paper "
        "leaves them open. Language model: the last held-out loss in nats of the language models that the runs started "
        f"from; a dash where the package did not train them. Difference: points of accuracy [{CROSSED}] of each "
        f"comparison, or where they are more than {LISTED} the mean (lowest to highest, no interval). Size: "
        f"pre-trainings x seeds x clusters of examples of a set. {VARIES}. The last column is computed: seeds with "
        f"which the differences, if they are as observed and vary as much between seeds, would be found with "
        f"{100 * POWER:g} % power at the level of the claim's family."
    )
    titles = {
        "statement": "Statement", "models": "Models", "reading": "Reading", "head": "Language model", "gates": "Gates",
        "difference": "Difference [95 %]", "size": "Size", "change": "What would change it",
    }  # fmt: skip
    return Table(
        "claims_page", "The declared claims and what they rest on", caption, frame, _name_columns(shown, titles)
    )


def _head(row: Any) -> str:
    if pd.isna(row.head_loss):
        return DASH
    ends = f" ({row.head_lowest:.2f} to {row.head_highest:.2f})" if row.head_lowest < row.head_highest else ""
    share = row.head_levelled_off
    level = "levelled off" if share == 1 else f"{100 * share:.0f} % levelled off" if share else "still falling"
    return f"{row.head_loss:.2f}{ends}, {level}"


def _size(row: Any) -> str:
    """`3 x 10 x 240 to 420`."""
    if not row.seeds:
        return DASH
    seeds, clusters = _span(row.fewest_seeds, row.seeds), _span(row.fewest_clusters, row.most_clusters)
    return f"{row.pretrainings} x {seeds} x {clusters}"


def _span(low: float, high: float) -> str:
    """`10`, or `10 to 20`."""
    return " to ".join(dict.fromkeys(f"{int(value):,}" for value in (low, high)))


def _listed(row: Any, compared: pd.DataFrame, several: bool) -> str:
    """The difference of each comparison with its interval, or their range."""
    ran = compared[compared["seeds"] > 0]
    if len(ran) > LISTED:
        return _range(row)
    return "; ".join(f"{_place(one, several)} {_difference(one)}" for one in ran.itertuples()) or DASH


def _place(row: Any, several: bool) -> str:
    task = f"{names.task(row.task)} " * (row.kind == "in_distribution")
    return f"{task}{names.evaluation_set(row.set)}" + (f", {names.model(row.model)}," if several else "")


def observations(frame: pd.DataFrame) -> Table:
    """A row for each claim of the paper, a column for each kind of study."""
    cells = frame.assign(text=[_observation(row) for row in frame.itertuples()])
    shown = cells.drop_duplicates("name")[["name", "sentence", "published"]].reset_index(drop=True)
    for setting, title in SETTINGS.items():
        shown[title] = cells.loc[cells["setting"] == setting, "text"].to_list()
    commands = frame.drop_duplicates("name")["command"].to_list()
    shown["Command"] = [command or "no study declares it yet" for command in commands]
    caption = (
        "The paper's claims in our words, with its numbers, and what was observed; the three kinds of study are never "
        "mixed. Embedded: a small invented world and models made on the spot, no evidence about the paper's data. "
        "Laptop: a small model on part of the real data. Paper: its models and data. Differences from fine-tuning "
        f"unless the claim says otherwise, in points of accuracy; of one comparison [{CROSSED}], of several their mean "
        f"(lowest to highest, no interval) and on how many of all declared ones the claim, or its opposite, holds at "
        f"{LEVEL:g} by partial conjunction. Where a constant answer scores {100 * LOPSIDED:g} points more than chance, "
        "balanced accuracy and AUROC are shown as well, the method's against the other's. "
        "A gain is reproduced in its direction; its size is for the reader to hold against the published one, which "
        f"is RoBERTa's; ours is of the models that each cell names{_gains_of(frame)}. {VARIES}. p: sign-flip test "
        f"over paired seeds, corrected within the study's family of claims ({CORRECTIONS}). Cost: geometric mean over "
        "models and tasks (lowest to highest); diversity: over measures (lowest to highest end of their intervals). "
        "STUDY: embedded, laptop, paper or another that declares it; after the run come gather STUDY and report STUDY."
        + _mixed_note(frame)
    )
    titles = {"name": "Claim", "sentence": "In words", "published": "Published"}
    return Table("observations", "Claims against observations", caption, frame, shown.rename(columns=titles))


def _mixed_note(frame: pd.DataFrame) -> str:
    """For each study whose runs were not all made alike, how they were made."""
    rows = frame.dropna(subset=["study", "mixed"]).drop_duplicates("study")
    return "".join(f" Study {row.study}:{row.mixed}" for row in rows.itertuples() if row.mixed)


def verdict_with_reason(verdict: str, reason: str) -> str:
    """`not testable here: 3 of 10 seeds, the test needs 6`; the verdict alone where it needs no reason."""
    return f"{verdict}: {reason}" if reason else verdict


def _p_value(p: float) -> str:
    """A p value, or a dash."""
    return _or_dash(p, p_value(p, 1.0))


def _secondary_columns(frame: pd.DataFrame) -> dict[str, list[str]]:
    """The columns that lopsided sets need: the score of a constant answer and the metrics of both methods."""
    rows = list(frame.itertuples())
    titles = {"accuracy": "Accuracy", "balanced": "Balanced accuracy", "auroc": "AUROC"}
    pairs = {title: [_or_dash(getattr(row, name), _pair(row, name)) for row in rows] for name, title in titles.items()}
    return {"Constant": [_or_dash(row.constant, number(row.constant)) for row in rows], **pairs}


def _pair(row: Any, name: str) -> str:
    """`63.5 against 30.8`."""
    return f"{number(getattr(row, name))} against {number(getattr(row, f'against_{name}'))}"


def secondary_metrics_text(rows: pd.DataFrame) -> str:
    """The metrics of those comparisons of claims that are on lopsided sets, as one text."""
    parts = []
    for row in rows[rows["balanced"].notna()].itertuples():
        ranks = f", AUROC {_pair(row, 'auroc')}" if pd.notna(row.auroc) else ""
        parts.append(
            f"{names.evaluation_set(row.set)}: accuracy {_pair(row, 'accuracy')}, a constant answer "
            f"{number(row.constant)}, balanced accuracy {_pair(row, 'balanced')}{ranks}"
        )
    return "; ".join(parts)


def _observation(row: Any) -> str:
    """One cell: what was observed, on how much, and the verdict."""
    if not row.seeds > 0:
        return verdict_with_reason(row.verdict, row.reason)
    parts = [f"{row.models}: {_magnitude(row)}"]
    if pd.notna(row.p):
        parts.append(f"p {_p_value(row.p)}, corrected {_p_value(row.corrected_p)}")
    parts.append(count(pd.Series([row.seeds]), "seed"))
    parts += [f"{row.examples} examples"] if pd.notna(row.examples) else []
    parts += [f"study {row.study}"] if row.study != row.setting else []
    parts += [row.beside] if isinstance(row.beside, str) and row.beside else []
    return f"{', '.join(parts)}; {verdict_with_reason(row.verdict, '' if pd.isna(row.reason) else row.reason)}"


def _magnitude(row: Any) -> str:
    if pd.notna(row.ratio) and row.comparisons == 1:
        return f"{row.ratio:.2f} times"
    if pd.notna(row.ratio):
        return f"{row.ratio:.2f} times ({row.lowest:.2f} to {row.highest:.2f})"
    if row.comparisons == 1:
        return _difference(row)
    holds = f", {_counts(row)}" if row.tested else f", {row.comparisons:.0f} comparisons"
    return f"{_range(row)}{holds}"


def _difference(row: Any) -> str:
    return _or_dash(row.difference, interval(row.difference, row.low, row.high, sign=True))


def _threshold(row: Any) -> str:
    """What the interval has to clear."""
    if row.test == "non_inferiority":
        margin = number(-row.margin, sign=True)
        return f"> {margin} (bound {number(row.bound, sign=True)})" if pd.notna(row.bound) else f"> {margin}"
    return "> 0" if row.test == "superiority" else DASH


def _counts(row: Any) -> str:
    if not row.tested:
        return DASH
    against = f", its opposite on {row.opposite_on:.0f}" if row.opposite_on else ""
    return f"at least {row.holds_on:.0f} of {count_judged(row)}{against}"


def count_judged(row: Any) -> str:
    """`5`, or `3 judged (5 declared)` where a gate closes some of them."""
    declared = f"{row.comparisons:.0f}"
    return declared if row.judged == row.comparisons else f"{row.judged:.0f} judged ({declared} declared)"


def _range(row: Any) -> str:
    if pd.isna(row.difference):
        return DASH
    ends = f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}"
    return f"{number(row.difference, sign=True)} ({ends})"


def _gains_of(frame: pd.DataFrame) -> str:
    """By setting, which models the gains are of that a published gain is compared with."""
    gains = frame[frame["points"].notna() & (frame["seeds"] > 0)].drop_duplicates(["setting", "models"])
    models = [f"{SETTINGS[setting]}: {', '.join(rows['models'])}" for setting, rows in gains.groupby("setting")]
    return f" ({'; '.join(models)})" if models else ""


def _or_dash(value: float, text: str) -> str:
    return DASH if pd.isna(value) else text


def _name_columns(shown: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    return name_columns(name_values(shown), {"claim": "Claim", "verdict": "Verdict", **titles})
