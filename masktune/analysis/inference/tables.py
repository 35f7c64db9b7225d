"""The tables of sub-cases and of both foldings, laid out for reading."""

import pandas as pd

from masktune.analysis import names
from masktune.analysis.formatting import CROSSED, DASH, MINUS, VARIES, count, interval, number
from masktune.analysis.table import Table, move_last, name_columns, name_values, pivot


def subcases(frame: pd.DataFrame) -> Table:
    """A row for each sub-case, a column for each method. `frame`: `numbers.subcases`."""
    rows = zip(*(frame[name] for name in ("accuracy", "lowest", "highest")), strict=True)
    cells = frame.assign(text=[f"{number(mean)} ({number(low)} to {number(high)})" for mean, low, high in rows])
    cells["group"] = cells["group"].map(names.group)
    shown = pivot(cells, ["task", "model", "set", "group", "subcase", "examples"], "method", "text")
    shown["subcase"] = [name.replace("_", " ") for name in shown["subcase"]]
    caption = (
        f"Accuracy in per cent on each sub-case: mean over {count(frame['seeds'], 'seed')}, and the lowest and highest "
        "seed. Chance is 50. A sub-case is one template of sentences: seeds that agree elsewhere can differ widely "
        f"here (McCoy, Min and Linzen 2020). {VARIES}. In the CSV file: 95 % t intervals over seeds."
    )
    titles = {"group": "Heuristic, label", "subcase": "Sub-case"}
    shown = name_columns(name_values(move_last(shown, "examples")), titles)
    return Table("subcases", "By sub-case", caption, frame, shown)


def foldings(frame: pd.DataFrame) -> Table:
    """Two rows for each method, one for each rule. `frame`: `numbers.foldings`."""
    shown = name_values(frame[["task", "model", "set", "method", "rule"]])
    rows = zip(*(frame[name] for name in ("accuracy", "low", "high")), strict=True)
    shown["accuracy"] = [interval(*row) for row in rows]
    for name in ("entailed", "disagree", "auroc"):
        shown[name] = [number(value) for value in frame[name]]
    ends = zip(*(frame[name] for name in ("difference", "difference_low", "difference_high")), strict=True)
    shown["difference"] = [DASH if pd.isna(mean) else interval(mean, low, high, sign=True) for mean, low, high in ends]
    shown["seeds"] = frame["seeds"]
    caption = (
        f"Two ways from three classes to two, in per cent: mean over {count(frame['seeds'], 'seed')} [95 % t interval "
        "over seeds, within 0 to 100], "
        f"{count(frame['examples'], 'example')} a set. The largest logit is folded (the rule of all other tables), or "
        "the probabilities of neutral and contradiction are added up and compared with that of entailment. Entailed: "
        "how often that is the answer; half of the examples of HANS are. Disagree: how often the rules answer "
        f"differently. AUROC: by the added probabilities, without a rule. Difference: by the same rule, in points "
        f"[{CROSSED}]. {VARIES}."
    )
    against = next(iter(name for name in frame["against"] if name), "")
    titles = {"rule": "Rule", "entailed": "Entailed", "disagree": "Disagree", "auroc": "AUROC"}
    titles["difference"] = f"{MINUS} {against} [95 %]" if against else "Difference"
    return Table("foldings", "From three classes to two", caption, frame, name_columns(shown, titles))
