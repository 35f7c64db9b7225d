"""The study of the paper from start to claims page, offline: its own file, tiny models laid out as in the hub's cache.

Of its seeds the first two run for what is tested of RoBERTa and the first for the rest, on sets of a few invented rows.
"""

import os
import shutil
from dataclasses import replace
from random import Random

import huggingface_hub.constants
import pandas as pd
import pytest
from invented_mirror import rows_for, save
from tiny_models import WORDS

from masktune.analysis import results
from masktune.analysis.claims import observations
from masktune.analysis.claims.paper import CLAIMS
from masktune.analysis.summary import findings
from masktune.analysis.summary.records import Record
from masktune.data.catalogue import CARDS
from masktune.study.design.load import load_study
from masktune.study.run import cell as cells
from masktune.study.store import gather

pytestmark = pytest.mark.slow

FAMILIES = {"bert-base": "bert", "roberta-base": "roberta", "bart-base": "bart"}
TEXTS = ("text", "text_pair")
ROWS = 18  # six of each of three classes: a bias model is fitted in five folds


def put_into_hub_cache(folder, model, checkpoint) -> None:
    """A checkpoint in the layout of the hub's cache: blobs, links to them in the snapshot of the commit, a ref."""
    repository = folder / f"models--{model.checkpoint.replace('/', '--')}"
    snapshot = repository / "snapshots" / model.revision
    for path in (snapshot, repository / "blobs", repository / "refs"):
        path.mkdir(parents=True)
    for number, path in enumerate(sorted(checkpoint.iterdir())):
        blob = repository / "blobs" / f"{number:040x}"
        shutil.copyfile(path, blob)
        (snapshot / path.name).symlink_to(os.path.relpath(blob, snapshot))
    (repository / "refs" / "main").write_text(model.revision)


def words_for(card) -> dict[str, list]:
    """The rows that a card asks for, in words that the tiny tokenizers know."""
    columns, random = rows_for(card, ROWS), Random(card.name)
    for name in {card.columns[text] for text in TEXTS if text in card.columns}:
        columns[name] = [" ".join(random.choices(WORDS, k=6)) for _ in range(ROWS)]
    return columns


@pytest.fixture(scope="module")
def paper(checkpoints, tmp_path_factory):
    """The study, run and gathered: no host is asked for anything."""
    folder = tmp_path_factory.mktemp("paper")
    study = load_study("paper")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder / "hub"))
        for variable, name in (("RESULTS", "results"), ("CACHE", "cache"), ("MIRROR", "mirror")):
            patch.setenv(f"MASKTUNE_{variable}", str(folder / name))
        for name, card in CARDS.items():
            own = replace(card, rows=ROWS, digest="", copy_digests=(), blank_rows=0, subset=None)
            patch.setitem(CARDS, name, own)
            save(folder / "mirror" / "data" / f"{name}.parquet", words_for(own))
        for model in study.models:
            put_into_hub_cache(folder / "hub", model, checkpoints[FAMILIES[model.name]])
        for cell in study.cells:
            tested = study.parts[cell.label] == "main" and cell.model.name == "roberta-base"
            cells.run(replace(cell, seeds=cell.seeds[: 2 if tested else 1]))
        gather.gather(study)
        results.build("paper")
        yield study, folder / "results" / "paper"


def test_every_row_of_the_file_ran_on_every_model_and_task_that_it_names(paper):
    study, folder = paper
    done = pd.read_parquet(folder / "runs.parquet").query("status == 'done'")
    ran = set(done[["label", "model", "task"]].itertuples(index=False, name=None))
    assert ran == {(cell.label, cell.model.name, cell.task) for cell in study.cells}
    assert set(done["checkpoint"]) == {model.checkpoint for model in study.models}


def test_each_claim_and_gate_has_its_rows(paper):
    study, folder = paper
    claims = pd.read_csv(folder / "tables" / "claims.csv")
    assert set(claims["claim"]) == set(range(1, len(study.claims) + 1))
    assert (claims["seeds"] > 0).all()
    trained = pd.read_csv(folder / "tables" / "trained.csv")
    assert len(trained) == len(study.cells)
    contrasts = pd.read_csv(folder / "tables" / "gates.csv")
    assert set(contrasts["role"]) == {"control", "remedy"}
    assert (folder / "tables" / "observations.md").is_file() and (folder / "figures" / "main.svg").is_file()


def test_every_claim_of_the_paper_is_asked(paper):
    study, _ = paper
    asked = observations.observe().query("setting == 'paper'")
    assert len(asked) == len(CLAIMS) and not asked["reason"].eq("no study declares it").any()


def test_the_page_on_all_studies_says_what_is_in(paper, monkeypatch):
    study, folder = paper
    monkeypatch.setenv("MASKTUNE_RESULTS", str(folder.parent))
    record = Record(study)
    text = findings.study(record)
    assert text.startswith(f"{len(record.done)} of {len(record.declared)} declared runs are in.")
    assert "Did it train?" in text and "Can the sets tell?" in text
