"""The commands for a user's own data: their options, and what they print. Starts without torch."""

import argparse
import json
import re
from dataclasses import MISSING, fields
from typing import Any

from masktune.errors import MaskTuneError
from masktune.own.settings import CLASS_WEIGHTS, DEVICES, EMBEDDED, PRECISIONS, Settings, parse_renames

TRAIN = """Train a classifier on a file of texts and labels: CSV, TSV, JSON, JSONL, Parquet, or a folder that
Dataset.save_to_disk wrote. The epoch and the seed are chosen by a validation part; the test part, and files that are
out of distribution, say how good it is. The folder gets the model with its card, a page of results, and the numbers.
The same command goes on where it was interrupted."""
MODEL = (
    f"a folder, a model of MASKTUNE_MIRROR, a hub id, or {EMBEDDED!r}: a trial model made from the texts, no network"
)


def add(commands: argparse._SubParsersAction) -> None:
    """Put check, train, evaluate and predict among the commands."""
    _add_check(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_predict(commands)


def _command(commands: argparse._SubParsersAction, name: str, summary: str, text: str = "") -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    sub = commands.add_parser(
        name, help=summary, description=text or summary[0].upper() + summary[1:] + ".", formatter_class=form
    )
    # "-1=negative" is a value, as "-1" is: no option here begins with a number.
    sub._negative_number_matcher = re.compile(r"^-\.?\d")
    return sub


def _add_columns(sub: argparse.ArgumentParser, label: bool = True) -> None:
    sub.add_argument("--text", nargs="+", default=(), metavar="COLUMN", help="the column of texts, or two of pairs")
    if label:
        sub.add_argument("--label", metavar="COLUMN", help="the column of labels")
        sub.add_argument(
            "--cluster", metavar="COLUMN", help="says which examples belong together: in the split, and in intervals"
        )
        sub.add_argument(
            "--rename-labels", nargs="+", default=(), metavar="OLD=NEW", help="names of classes, such as 0=negative"
        )


def _add_check(commands: argparse._SubParsersAction) -> None:
    sub = _command(commands, "check", "look at a file of texts and labels before training on it")
    sub.add_argument("file", help="the file, or a folder that Dataset.save_to_disk wrote")
    _add_columns(sub)
    sub.add_argument("--validation", metavar="FILE", help="a file for validation")
    sub.add_argument("--test", metavar="FILE", help="a file for the test")
    sub.add_argument("--ood", nargs="+", default=(), metavar="FILE", help="files that are out of distribution")
    sub.add_argument("--model", help="count tokens with its tokenizer: how many texts are cut?")
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub.set_defaults(command=check)


def _add_train(commands: argparse._SubParsersAction) -> None:
    sub = _command(commands, "train", "train a classifier on a file of texts and labels, and compare methods", TRAIN)
    sub.add_argument("file", help="the file, or a folder that Dataset.save_to_disk wrote")
    sub.add_argument("--model", required=True, help=MODEL)
    sub.add_argument("--output", required=True, metavar="FOLDER", help="where model, card, report and numbers go")
    _add_columns(sub)
    sub.add_argument(
        "--validation", metavar="FILE", help="choose the epoch by this file (default: a tenth of the rows)"
    )
    sub.add_argument("--test", metavar="FILE", help="test on this file (default: a tenth of the rows)")
    sub.add_argument("--ood", nargs="+", metavar="FILE", help="files that are out of distribution, to test on too")
    sub.add_argument("--method", help="how to train: 'recommended' (default: Mask-tuning), or a method's name")
    sub.add_argument("--alpha", type=float, help="the weight of the masked-language-model loss, 0 to 1")
    sub.add_argument("--mask-rate", type=float, help="the share of tokens that is masked")
    sub.add_argument("--compare", nargs="+", metavar="METHOD", help="methods to compare with, such as fine_tuning")
    sub.add_argument("--seeds", type=int, metavar="N", help="train with N seeds (default: 1); more can be added later")
    sub.add_argument("--epochs", type=int, help="passes over the train part (default: 3)")
    sub.add_argument("--learning-rate", type=float, metavar="RATE", help="peak rate (default: by the model's width)")
    sub.add_argument("--batch-size", type=int, metavar="N", help="examples of a step (default: 32)")
    sub.add_argument(
        "--max-length", type=int, metavar="N", help="tokens of a text (default: by the texts, at most 256)"
    )
    sub.add_argument("--class-weights", metavar="WHICH", help=f"{' or '.join(CLASS_WEIGHTS)} (default: none)")
    sub.add_argument(
        "--adapt",
        type=int,
        metavar="STEPS",
        help="first train the masked-LM head on the train texts: a checkpoint may lack one",
    )
    sub.add_argument("--revision", help="the commit of a model of the hub")
    sub.add_argument("--precision", metavar="WHICH", help=f"{', '.join(PRECISIONS)} (default: auto)")
    sub.add_argument("--device", metavar="WHICH", help=f"{', '.join(DEVICES)} (default: auto)")
    sub.set_defaults(command=train)


def _add_evaluate(commands: argparse._SubParsersAction) -> None:
    sub = _command(commands, "evaluate", "score a trained classifier on a file of texts and labels")
    sub.add_argument("model", help="a folder that masktune train wrote, or another classifier")
    sub.add_argument("file", help="the file")
    _add_columns(sub)
    sub.add_argument(
        "--max-length", type=int, metavar="N", help="tokens of a text (default: by the texts, at most 256)"
    )
    sub.add_argument("--json", action="store_true", help="print JSON")
    sub.set_defaults(command=evaluate)


def _add_predict(commands: argparse._SubParsersAction) -> None:
    sub = _command(commands, "predict", "write a file once more, with a trained classifier's answer for each row")
    sub.add_argument("model", help="a folder that masktune train wrote, or another classifier")
    sub.add_argument("file", help="the file")
    sub.add_argument("--output", required=True, metavar="FILE", help="a .csv, .tsv, .jsonl or .parquet file to write")
    _add_columns(sub, label=False)
    sub.add_argument(
        "--max-length", type=int, metavar="N", help="tokens of a text (default: by the texts, at most 256)"
    )
    sub.set_defaults(command=predict)


def check(options: argparse.Namespace) -> int:
    """Print what was found. 0 where the file can be trained on, 1 where not."""
    from masktune.own.data import checks, columns, examples, reading

    renames = parse_renames(options.rename_labels)
    rows = reading.read(options.file)
    found = columns.choose(rows, options.text, options.label, cluster=options.cluster)
    whole = examples.collect(rows, found, renames)
    others = {}
    for name, file in [("validation", options.validation), ("test", options.test)]:
        if file is not None:
            others[name] = _other(file, found, renames)
    for number, file in enumerate(options.ood, start=1):
        name = "out of distribution" + (f" {number}" if len(options.ood) > 1 else "")
        others[name] = _other(file, found, renames)
    lengths, longest = _lengths(options.model, whole) if options.model else (None, None)
    findings = checks.check(whole, found.label or "", others, renames, lengths, longest, found.unread())
    good = not any(finding.level == checks.STOPS for finding in findings)
    if options.json:
        values = [{"name": each.name, "level": each.level, "text": each.text, **each.values} for each in findings]
        content = {"file": options.file, "columns": list(rows.columns), "text": found.texts, "label": found.label}
        print(json.dumps({**content, "notes": rows.notes, "trainable": good, "findings": values}, indent=1))
    else:
        heading = [f"{rows.path}: {len(rows):,} rows, columns {rows.names()}", *rows.notes, found.describe()]
        print(checks.render("\n".join(heading), findings))
    return 0 if good else 1


def _other(file: str, found: Any, renames: dict[str, str]) -> Any:
    """Another file with the same columns."""
    from masktune.own.data import columns, examples, reading

    rows = reading.read(file)
    return examples.collect(rows, columns.same(rows, found), renames)


def _lengths(model: str, whole: Any) -> tuple[list[int], int]:
    if model == EMBEDDED:
        raise MaskTuneError("check --model embedded: its vocabulary is made in training; name a pre-trained model")
    from masktune.own import inputs, starts

    start = starts.named(model)
    return inputs.token_lengths(start.tokenizer, whole.texts), start.longest


def train(options: argparse.Namespace) -> int:
    """Train what is missing; print what came out and where it is."""
    settings = settings_of(options)
    from masktune.own import job

    quiet()
    folder, results = job.train(settings, lambda line: print(line, flush=True))
    print()
    for sentence in job.summary(results):
        print(sentence)
    print(f"\nmodel   {folder.model}\nreport  {folder.report}\nagain   {settings.command()}")
    return 0


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that the options ask for; those that were not given have their defaults."""
    values: dict[str, Any] = {}
    for each in fields(Settings):
        value = getattr(options, each.name, None)
        if value is not None or each.default is MISSING:
            values[each.name] = tuple(value) if isinstance(value, list) else value
    return Settings(**values)


def evaluate(options: argparse.Namespace) -> int:
    """Print the scores."""
    from masktune.own import predictions

    quiet()
    result = predictions.evaluate(
        options.model,
        options.file,
        options.text,
        options.label,
        options.rename_labels,
        options.max_length,
        options.cluster,
    )
    print(json.dumps(result, indent=1) if options.json else predictions.render(result))
    return 0


def predict(options: argparse.Namespace) -> int:
    """Write the answers; say what was read, where they are, and how many rows have none."""
    from masktune.own import predictions

    quiet()
    rows, empty, found = predictions.predict(
        options.model, options.file, options.output, options.text, options.max_length
    )
    print("; ".join(filter(None, [found.describe(), found.unread()])))
    without = f"; {empty:,} have no text, and no answer" if empty else ""
    print(f"{rows:,} rows written to {options.output}{without}")
    return 0


def quiet() -> None:
    """No bars of transformers and datasets for what takes a moment."""
    import datasets
    from transformers.utils import logging

    datasets.disable_progress_bars()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
