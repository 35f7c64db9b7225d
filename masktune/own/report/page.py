"""The page of a training's results: one HTML file for phone and screen, that needs no network and no script."""

import platform
from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path

from masktune import files
from masktune.own.data import checks
from masktune.own.inputs import Inputs, title
from masktune.own.report import charts, frame
from masktune.own.report.card import NOT_FOR, TRIAL, percent
from masktune.own.report.charts import Interval, Line
from masktune.own.scores import Chosen, PartScores
from masktune.own.stored import Run
from masktune.statistics.intervals import Estimate

ENOUGH, FEW_GUESSED = 50, 0.15  # masked tokens, and the share of them guessed right below which that is said
MOST_CLASSES = 20  # that a confusion matrix shows
NO_BETTER = "no better than always answering"


def write(
    path: Path, inputs: Inputs, runs: Mapping[str, Sequence[Run]], parts: Sequence[PartScores], chosen: Chosen
) -> None:
    """Write the page."""
    heading = f"{inputs.data.whole.name}: {title(chosen.method)}"
    body = "\n".join(
        [
            f"<h1>{escape(heading)}</h1>",
            f'<p class="question">{escape(sentences(parts, chosen)[0])}</p>',
            _paragraph(_plain(TRIAL)) if inputs.start.trial else "",
            _list(sentences(parts, chosen)[1:], "findings"),
            *_differences(parts, chosen),
            *_accuracy(parts),
            *_curves(runs, inputs),
            *_mistakes(chosen),
            *_perturbed(runs[chosen.method], chosen),
            *_data(inputs),
            *_settings(inputs, chosen),
            "<h2>What this does not show</h2>",
            _paragraph(f"{NOT_FOR} One split of one file: another split would give somewhat other numbers."),
            "<h2>The command</h2>",
            f'<pre class="command">{escape(inputs.settings.command())}</pre>',
        ]
    )
    footer = (
        "Made by masktune from finished runs. Mask-tuning is the method of arXiv 2307.10457; not its authors' code."
    )
    files.write_file(path, frame.page(heading, body, frame.STYLE + charts.STYLE, footer=escape(footer)))


def sentences(parts: Sequence[PartScores], chosen: Chosen) -> list[str]:
    """What came out, in plain sentences: of the user's method in and out of distribution, then beside the others."""
    own = title(chosen.method)
    test = parts[0]
    scored = test.methods[chosen.method]
    found = [
        f"{own} answers {percent(scored.accuracy.mean)} of {test.examples:,} test examples right"
        + (f" ({_ends(scored.accuracy)})" if _ends(scored.accuracy) else "")
        + f"; always answering {test.constant[0]!r}: {percent(test.constant[1])}."
    ]
    for part in parts[1:]:
        score = part.methods[chosen.method]
        found.append(
            f"{part.name}, {part.kind}: {percent(score.accuracy.mean)} of {part.examples:,} "
            f"(always {part.constant[0]!r}: {percent(part.constant[1])})."
        )
    for part in parts:
        for method, difference in part.differences.items():
            found.append(f"{part.kind.capitalize()} ({part.name}), {own} minus {title(method)}: {judge(difference)}.")
    for part in parts:
        if part.methods[chosen.method].accuracy.mean <= part.constant[1]:
            found.append(
                f"On {part.name} {own} is {NO_BETTER} {part.constant[0]!r}: it did not learn what this part asks."
            )
    found.append(
        f"The model that is handed over: seed {chosen.seed}, epoch {chosen.epoch}, chosen by validation "
        f"({percent(chosen.validation)}); {percent(chosen.accuracy)} on the test part."
    )
    return found


def judge(difference: Estimate) -> str:
    """A difference in points with its interval, and whether it tells the two apart."""
    points = f"{charts.signed(100 * difference.mean)} points"
    ends = _ends(difference, sign=True)
    if not ends:
        return f"{points}, without an interval"
    if difference.low > 0 or difference.high < 0:
        return f"{points} ({ends}); the interval leaves out 0"
    return f"{points} ({ends}); the interval holds 0, so these runs do not tell them apart"


def _ends(estimate: Estimate, sign: bool = False) -> str:
    if estimate.low != estimate.low:  # NaN: there is none
        return ""
    if sign:
        return f"{charts.signed(100 * estimate.low)} to {charts.signed(100 * estimate.high)}"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"


def _differences(parts: Sequence[PartScores], chosen: Chosen) -> list[str]:
    rows = [
        Interval(
            f"{part.name}: minus {title(method)}",
            f"{part.kind}, {part.examples:,} examples, {_seeds(difference.seeds)}",
            100 * difference.mean,
            (100 * difference.low, 100 * difference.high) if _ends(difference) else None,
        )
        for part in parts
        for method, difference in part.differences.items()
    ]
    if not rows:
        return []
    caption = (
        f"{title(chosen.method)} minus the compared method, in points of accuracy, paired by seed and example. Bars: "
        "95 % intervals over seeds and examples (with one seed: over examples alone). Right of the dashed line "
        f"{title(chosen.method)} is more accurate."
    )
    return ["<h2>Differences</h2>", charts.intervals(rows), _caption(caption)]


def _seeds(count: int) -> str:
    return f"{count} seed{'s' * (count != 1)}"


def _accuracy(parts: Sequence[PartScores]) -> list[str]:
    rows = []
    for part in parts:
        for method, score in part.methods.items():
            ends = _ends(score.accuracy)
            rows.append(
                (
                    title(method),
                    f"{part.name} ({part.kind})",
                    percent(score.accuracy.mean),
                    ends or "none",
                    percent(score.balanced),
                    f"{percent(part.constant[1])} ({part.constant[0]})",
                    ", ".join(f"{100 * each:.1f}" for each in score.by_seed),
                )
            )
    head = ("Method", "Part", "Accuracy", "95 % interval", "Balanced", "Constant answer", "By seed, %")
    note = "Balanced accuracy is the mean over the classes. Accuracy is the mean over the seeds."
    return ["<h2>Accuracy</h2>", _table(head, rows, "Accuracy of every method"), _caption(note)]


def _curves(runs: Mapping[str, Sequence[Run]], inputs: Inputs) -> list[str]:
    balanced = inputs.settings.class_weights == "balanced"
    measure = "balanced accuracy" if balanced else "accuracy"
    drawn, losses, ends = [], [], []
    for number, own in enumerate(runs.values()):
        by_epoch = _mean([[(point["epoch"], 100 * point["score"]) for point in run.curve] for run in own])
        drawn += [Line(by_epoch, number)]
        if len(own) > 1:
            drawn += [Line([(each["epoch"], 100 * each["score"]) for each in run.curve], number, True) for run in own]
        losses.append(Line(_mean([[(point["epoch"], point["loss"]) for point in run.losses] for run in own]), number))
        ends.append((by_epoch[0][1], by_epoch[-1][1], losses[-1].points[0][1], losses[-1].points[-1][1]))
    names = [title(method) for method in runs]
    said = "; ".join(
        f"{name} from {first:.1f} % after the first epoch to {last:.1f} %"
        for name, (first, last, _, _) in zip(names, ends, strict=True)
    )
    fallen = "; ".join(
        f"{name} from {first:.2f} to {last:.2f}" for name, (_, _, first, last) in zip(names, ends, strict=True)
    )
    return [
        "<h2>Learning curve</h2>",
        charts.legend(names),
        charts.lines(drawn, "epoch", f"validation {measure}, %", f"Validation {measure}: {said}", percent=True),
        _caption(f"Validation {measure} after each epoch: the mean over seeds, and each seed as a pale line."),
        charts.lines(losses, "epoch", "train loss, nats", f"Train loss of the classifier: {fallen}"),
        _caption(
            "Loss of the classifier in training, mean over seeds. Mask-tuning reads perturbed texts, which are harder: "
            "losses of two methods are not to be compared."
        ),
    ]


def _mean(curves: Sequence[Sequence[tuple[float, float]]]) -> list[tuple[float, float]]:
    """The mean of curves with the same places; as far as the shortest goes."""
    return [(points[0][0], sum(value for _, value in points) / len(points)) for points in zip(*curves, strict=False)]


def _mistakes(chosen: Chosen) -> list[str]:
    names = [each.name for each in chosen.classes]
    head = ("Class", "Test examples", "Precision", "Recall", "F1")
    rows = [
        (each.name, f"{each.examples:,}", percent(each.precision), percent(each.recall), percent(each.f1))
        for each in chosen.classes
    ]
    parts = ["<h2>What the chosen model gets wrong</h2>"]
    if len(names) <= MOST_CLASSES:
        parts.append(frame.scroll_frame(charts.confusion(chosen.confusion, names), "Confusion matrix"))
    return [*parts, _table(head, rows, "Scores of each class"), _caption(f"Test part, seed {chosen.seed}.")]


def _perturbed(runs: Sequence[Run], chosen: Chosen) -> list[str]:
    found = next(run.perturbed for run in runs if run.seed == chosen.seed)
    if found is None:
        return []
    said = (
        f"Of {found['texts']:,} train texts one pass of the method changed {found['texts_changed']:,}. It masked "
        f"{found['masked']:,} tokens; the language model put another token in the place of {found['changed']:,} of "
        "them, and the same as before in the others."
    )
    if found["masked"] >= ENOUGH and found["masked"] - found["changed"] < FEW_GUESSED * found["masked"]:
        said += (
            " So few guessed right say that the language model does not fit these texts; --adapt 600 trains it on the "
            "train texts first."
        )
    entries = [
        f'<li>{charts.changed(each["pieces"])}<span class="of">label: {escape(each["label"])}</span></li>'
        for each in found["examples"]
    ]
    shown = (
        f'<ul class="changed">{"".join(entries)}</ul>'
        if entries
        else _paragraph("None of them is short enough to show.")
    )
    key = (
        "Struck out: what was masked. Underlined: what the model put there. Dotted: masked, and guessed as it was. The "
        "classifier learns each text with the label it had; where a change turns the meaning, that is a wrong label."
    )
    return ["<h2>What was perturbed</h2>", _paragraph(said), shown, _caption(key)]


def _data(inputs: Inputs) -> list[str]:
    data = inputs.data
    whole, train = data.whole, data.parts["train"]
    lines = [
        f"{whole.name}: {len(whole):,} usable rows; sha256 {whole.sha256}",
        *(f"{whole.name}: {note}" for note in whole.notes),
        *(f"left out: {count:,} rows with {reason}" for reason, count in whole.left_out.items()),
        data.columns.describe(),
        "train examples by class: " + ", ".join(f"{name} {count:,}" for name, count in train.counts.items()),
    ]
    column = data.columns.label or "label"
    found = checks.check(whole, column, {}, inputs.settings.renames)
    lines += [
        each.text for each in found if each.name in ("duplicates", "contradictions") and each.level != checks.FINE
    ]
    rows = []
    for name, part in data.parts.items():
        shared = "" if name == "train" else f"{checks.overlap(train, part):,}"
        read = inputs.lengths[name]
        rows.append((name, part.name, f"{len(part):,}", shared, f"{read.tokens}", percent(read.share_cut)))
    head = ("Part", "File", "Examples", "Also in train", "Cut after, tokens", "Texts cut")
    table = _table(head, rows, "Parts of the data")
    return ["<h2>Data</h2>", _list(lines), table]


def _settings(inputs: Inputs, chosen: Chosen) -> list[str]:
    settings = inputs.settings
    rows = []
    for key in settings.methods:
        method = inputs.method(key)
        options = ", ".join(f"{name} {value}" for name, value in method.options().items()) or "defaults"
        rows.append((title(key), method.formula, options))
    lines = [
        f"model: {inputs.start.title}; {inputs.start.note}",
        f"{settings.epochs} epochs, learning rate {inputs.learning_rate:g} with warm-up and linear decay, "
        f"batches of {settings.batch_size}, AdamW",
        "the epoch and the seed were chosen by the validation part; the test part and files out of distribution were "
        "read once, with the chosen epoch of each run",
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "masktune")),
    ]
    head = ("Method", "Minimises", "Options that differ from the paper's")
    return ["<h2>Settings</h2>", _list(lines), _table(head, rows, "Methods")]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> str:
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(each)}</td>" for each in rest)}</tr>'
        for first, *rest in rows
    )
    table = (
        f'<table><caption class="heard">{escape(name)}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    return frame.scroll_frame(table, name)


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _caption(text: str) -> str:
    return f'<p class="downloads">{escape(text)}</p>'


def _list(lines: Sequence[str], kind: str = "facts") -> str:
    return f'<ul class="{kind}">{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def _plain(markdown: str) -> str:
    return markdown.replace("**", "")
