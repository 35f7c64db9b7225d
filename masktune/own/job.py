"""`masktune train`: make the runs that are missing, choose a model, write its card and the page of the results."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from masktune import files
from masktune.errors import MaskTuneError
from masktune.own import inputs as loading
from masktune.own import scores, seed
from masktune.own.inputs import Inputs
from masktune.own.predictions import HANDED_OVER
from masktune.own.report import card, page
from masktune.own.scores import IN, OUT, Chosen, PartScores
from masktune.own.settings import Settings
from masktune.own.stored import MODEL, Folder, Run


@dataclass(frozen=True)
class Results:
    """The numbers of a training: test part first, then what is out of distribution; and the chosen model."""

    parts: list[PartScores]
    chosen: Chosen


def train(settings: Settings, say: Callable[[str], None] = print) -> tuple[Folder, Results]:
    """Do what the settings say, as far as it is not done. `say` gets a line at each stage.

    Raises MaskTuneError for files, columns, labels, methods and checkpoints that do not fit, and for a folder of
    another training.
    """
    folder = Folder(settings.output)
    folder.check()
    inputs = loading.load(settings)
    seed.device(inputs)
    for line in describe(inputs):
        say(line)
    with folder.claimed(settings, inputs.identity()):
        runs = _make(inputs, folder, say)
        results = score(inputs, runs)
        _hand_over(inputs, folder, results)
        page.write(folder.report, inputs, runs, results.parts, results.chosen)
        numbers = scores.plain(asdict(results)) | {"command": settings.command()}
        files.write_file(folder.results, json.dumps(numbers, indent=1) + "\n")
    return folder, results


def describe(inputs: Inputs) -> list[str]:
    """What is going to be trained, in a few lines."""
    data, settings = inputs.data, inputs.settings
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in data.parts.items())
    left_out = sum(data.whole.left_out.values())
    classes = ", ".join(data.names[:8]) + (", ..." if len(data.names) > 8 else "")
    return [
        *(f"{data.whole.name}: {note}" for note in data.whole.notes),
        data.columns.describe(),
        *filter(None, [data.columns.unread()]),
        f"rows: {sizes}" + (f"; {left_out:,} without text or label are left out" if left_out else ""),
        f"classes: {classes}",
        f"model: {inputs.start.title}",
        "texts are cut after "
        + ", ".join(
            f"{length.tokens} tokens in {name} ({100 * length.share_cut:.1f} % are longer)"
            for name, length in inputs.lengths.items()
            if name == "train" or length != inputs.lengths["train"]
        ),
        f"learning rate {inputs.learning_rate:g}, {settings.epochs} epochs, batches of {settings.batch_size}",
        f"methods: {', '.join(map(loading.title, settings.methods))}; seeds: {settings.seeds}",
    ]


def _make(inputs: Inputs, folder: Folder, say: Callable[[str], None]) -> dict[str, list[Run]]:
    """All runs by method; those that are not in the folder are trained, seed by seed, so that pairs come early."""
    settings = inputs.settings
    prepared: dict[str, Any] = {}  # train sets with the features of their method
    _check_seeds(folder, settings)
    wanted = [(key, number) for number in range(settings.seeds) for key in settings.methods]
    done = [pair for pair in wanted if folder.is_done(*pair)]
    if done:
        say(f"{len(done)} of {len(wanted)} runs are there already")
    for key, number in wanted:
        if (key, number) not in done:
            with files.replace_folder(folder.run(key, number)) as unfinished:
                seed.train_seed(inputs, key, number, unfinished, prepared)
    return {key: [folder.read(key, number) for number in range(settings.seeds)] for key in settings.methods}


def _check_seeds(folder: Folder, settings: Settings) -> None:
    """Raise MaskTuneError where the folder has more seeds than are asked for: the model may be of one of them."""
    there = len(list((folder.place / "runs" / settings.method).glob("seed-*")))
    if there > settings.seeds:
        raise MaskTuneError(f"{folder.place} has {there} seeds; ask for --seeds {there} or more, or another --output")


def score(inputs: Inputs, runs: dict[str, list[Run]]) -> Results:
    """The numbers of the finished runs."""
    data, names = inputs.data, inputs.label_names
    kinds = {"test": IN, **dict.fromkeys(data.outside, OUT)}
    parts = [scores.score_part(name, data.parts[name], names, runs, kind) for name, kind in kinds.items()]
    return Results(parts, scores.choose(runs, data.parts["test"], names))


def _hand_over(inputs: Inputs, folder: Folder, results: Results) -> None:
    """Put the chosen model in its place with its card; the models of other seeds go."""
    chosen = results.chosen
    source = folder.run(chosen.method, chosen.seed) / MODEL
    kept = source if source.is_dir() else folder.model  # of a command that went on, it has been moved already
    with files.replace_folder(folder.model) as unfinished:
        shutil.copytree(kept, unfinished, dirs_exist_ok=True)
        files.write_file(unfinished / HANDED_OVER, json.dumps(reads(inputs), indent=1) + "\n")
        text = card.write(facts(inputs, results))
        files.write_file(unfinished / "README.md", text)
    for model in folder.place.glob(f"runs/*/*/{MODEL}"):
        shutil.rmtree(model)


def reads(inputs: Inputs) -> dict[str, Any]:
    """What a command must know to give texts of a file to the model as they were given in training."""
    columns, settings = inputs.data.columns, inputs.settings
    return {
        "text": list(columns.texts),
        "label": columns.label,
        "cluster": columns.cluster,
        "rename_labels": list(settings.rename_labels),
    }


def facts(inputs: Inputs, results: Results) -> card.Facts:
    """What the card of the chosen model says."""
    data, settings, chosen = inputs.data, inputs.settings, results.chosen
    method = inputs.method(chosen.method)
    return card.Facts(
        method=loading.title(chosen.method),
        formula=method.formula,
        options={name: value for name, value in method.settings().items()},
        reference=method.reference,
        base=inputs.start.title,
        base_is_hub=inputs.start.on_hub,
        base_note=inputs.start.note,
        file=data.whole.name,
        sha256=data.whole.sha256,
        rows=len(data.whole),
        texts=data.columns.texts,
        label=data.columns.label or "",
        classes=data.parts["train"].counts,
        sizes={name: len(part) for name, part in data.parts.items()},
        settings={
            "epochs": settings.epochs,
            "epoch that was kept": chosen.epoch,
            "peak learning rate": inputs.learning_rate,
            "batch size": settings.batch_size,
            "longest text, in tokens": inputs.lengths["train"].tokens,
            "class weights": settings.class_weights,
            "seed": chosen.seed,
        },
        accuracy=chosen.accuracy,
        balanced=chosen.balanced,
        classes_scores=[(each.name, each.examples, each.precision, each.recall, each.f1) for each in chosen.classes],
        beside={loading.title(key): value for key, value in chosen.beside.items() if key != chosen.method},
        outside={
            part.name: (part.examples, part.methods[chosen.method].by_seed[_place(inputs, chosen)], part.constant)
            for part in results.parts
            if part.kind == OUT
        },
        constant=results.parts[0].constant,
        command=settings.command(),
        trial=inputs.start.trial,
    )


def _place(inputs: Inputs, chosen: Chosen) -> int:
    """Where the chosen seed stands among the seeds."""
    return list(range(inputs.settings.seeds)).index(chosen.seed)


def summary(results: Results) -> list[str]:
    """What came out, in a few lines for a terminal."""
    return page.sentences(results.parts, results.chosen)
