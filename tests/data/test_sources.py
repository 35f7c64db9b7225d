import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial

import pytest
from invented_mirror import ROWS, know, rows_for, save

from masktune import data
from masktune.data import sources
from masktune.data.card import HubFile, PinnedFiles
from masktune.data.catalogue import CARDS
from masktune.errors import MaskTuneError
from masktune.files import write_file

REVIEWS = b"Sentiment\tText\nNegative\ta dull evening\nPositive\ta bright morning\n"
EDITED = b"Sentiment\tText\nPositive\ta fine evening\nNegative\ta grey morning\n"


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No mirror, an empty cache, and no host that answers: port 9 of this machine refuses connections."""
    for variable in ("MASKTUNE_MIRROR", "MASKTUNE_PAWS_QQP"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return tmp_path


def hub_cache(folder, file: HubFile, columns) -> None:
    """A file in the layout of the hub's cache: a blob, a link to it in the snapshot of the commit, a ref to that."""
    repository = folder / f"datasets--{file.repository.replace('/', '--')}"
    save(repository / "unnamed", columns)
    content = (repository / "unnamed").read_bytes()
    blob = repository / "blobs" / hashlib.sha256(content).hexdigest()
    snapshot = repository / "snapshots" / file.revision / file.path
    for path in (blob, snapshot, repository / "refs" / "main"):
        path.parent.mkdir(parents=True, exist_ok=True)
    (repository / "unnamed").rename(blob)
    snapshot.symlink_to(os.path.relpath(blob, snapshot.parent))
    (repository / "refs" / "main").write_text(file.revision)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def web(tmp_path):
    """A folder and the address at which it is served."""
    folder = tmp_path / "web"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def contrast(web):
    folder, address = web
    (folder / "original.tsv").write_bytes(REVIEWS)
    (folder / "contrast.tsv").write_bytes(EDITED)
    urls = (f"{address}/original.tsv", f"{address}/contrast.tsv")
    return folder, replace(CARDS["imdb-contrast/test"], rows=4, source=PinnedFiles(urls, "imdb_contrast"))


def test_the_mirror_is_looked_at_first(mirror):
    raw = sources.find(CARDS["glue/sst2/train"])
    path = mirror / "data" / "glue/sst2/train.parquet"
    assert raw.table.to_pydict() == rows_for(CARDS["glue/sst2/train"])
    assert raw.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert raw.where == str(path)


def test_the_full_set_of_a_mirror_is_preferred_to_its_subset(mirror):
    card = CARDS["glue/mnli/train"]
    save(mirror / "data" / "glue/mnli/train_subset.parquet", rows_for(card, ROWS // 2))
    assert (sources.find(card).name, sources.find(card).rows) == ("glue/mnli/train", ROWS)
    (mirror / "data" / "glue/mnli/train.parquet").unlink()
    assert (sources.find(card).name, sources.find(card).rows) == ("glue/mnli/train_subset", ROWS // 2)


def test_a_mirror_that_is_no_folder_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("MASKTUNE_MIRROR", str(tmp_path / "nothing"))
    with pytest.raises(MaskTuneError, match="MASKTUNE_MIRROR is '.*nothing', which is no folder"):
        sources.find(CARDS["glue/sst2/train"])


def test_a_file_that_is_not_parquet_is_an_error(mirror):
    (mirror / "data" / "glue/sst2/train.parquet").write_text("not Parquet")
    with pytest.raises(MaskTuneError, match="glue/sst2/train.parquet: not a readable Parquet file") as raised:
        sources.find(CARDS["glue/sst2/train"])
    assert "\n" not in str(raised.value)


def test_a_file_in_the_cache_of_the_hub_is_read_without_network(nowhere):
    card = CARDS["glue/qqp/validation"]
    hub_cache(nowhere / "hub", card.source, rows_for(card))
    raw = sources.find(card)
    assert raw.table.to_pydict() == rows_for(card)
    assert raw.name == "glue/qqp/validation"


def test_another_commit_in_the_cache_of_the_hub_is_not_taken_for_the_pinned_one(nowhere):
    card = CARDS["glue/qqp/validation"]
    hub_cache(nowhere / "hub", replace(card.source, revision="0" * 40), rows_for(card))
    with pytest.raises(MaskTuneError, match="cannot read glue/qqp/validation"):
        sources.find(card)


def test_a_fresh_process_finds_the_hub_offline_through_its_environment(tmp_path):
    card = CARDS["anli/r1/validation"]
    hub_cache(tmp_path / "hub", card.source, rows_for(card))
    environment = {name: value for name, value in os.environ.items() if name != "MASKTUNE_MIRROR"}
    environment |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    code = (
        "import json, sys; from masktune.data import catalogue, sources\n"
        "print(json.dumps(sources.find(catalogue.card('anli/r1/validation')).table.to_pydict()))\n"
        "try: sources.find(catalogue.card('anli/r2/validation'))\n"
        "except ValueError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    table, said = answer.stdout.splitlines()
    assert json.loads(table) == rows_for(card)
    assert said.startswith("cannot read anli/r2/validation: hub dataset facebook/anli, plain_text/dev_r2")
    assert "HF_HUB_OFFLINE is set; set MASKTUNE_MIRROR" in said


def test_an_unreachable_hub_is_one_line_that_says_what_to_do(nowhere):
    with pytest.raises(MaskTuneError) as raised:
        sources.find(CARDS["glue/sst2/train"])
    said = str(raised.value)
    assert said.startswith("cannot read glue/sst2/train: http://127.0.0.1:9 cannot be reached")
    assert "set MASKTUNE_MIRROR" in said and "python -m masktune mirror" in said and "\n" not in said


def test_a_mirror_without_the_set_is_named_among_what_was_tried(nowhere, monkeypatch):
    monkeypatch.setenv("MASKTUNE_MIRROR", str(nowhere))
    with pytest.raises(MaskTuneError, match=f"MASKTUNE_MIRROR={nowhere} has no data/glue/sst2/train.parquet; http"):
        sources.find(CARDS["glue/sst2/train"])


def test_pinned_files_are_fetched_once_and_then_read_from_the_cache(nowhere, contrast):
    folder, card = contrast
    fetched = sources.find(card)
    assert fetched.table["sentence"].to_pylist()[:2] == ["a dull evening", "a fine evening"]
    assert fetched.sha256 == hashlib.sha256(REVIEWS + EDITED).hexdigest()
    (folder / "original.tsv").unlink()
    assert sources.find(card) == fetched


def test_an_address_without_the_file_is_an_error_with_its_status(nowhere, contrast):
    folder, card = contrast
    (folder / "contrast.tsv").unlink()
    with pytest.raises(MaskTuneError, match="contrast.tsv cannot be fetched .status 404.; set MASKTUNE_MIRROR"):
        sources.find(card)


def test_a_pinned_file_must_be_the_known_git_object(nowhere, contrast):
    _, card = contrast
    blobs = tuple(hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()[:8] for text in (REVIEWS, EDITED))
    assert sources.find(replace(card, source=replace(card.source, git_blobs=blobs))).rows == 4
    with pytest.raises(MaskTuneError, match="that are not git object 00000000; remove .* and try again"):
        sources.find(replace(card, source=replace(card.source, git_blobs=(blobs[0], "00000000"))))


def test_a_cache_that_cannot_be_written_does_not_matter(nowhere, contrast, monkeypatch):
    (nowhere / "file").write_text("in the way")
    monkeypatch.setenv("MASKTUNE_CACHE", str(nowhere / "file"))
    assert sources.find(contrast[1]).table.num_rows == 4


def test_the_user_s_own_file_comes_before_the_mirror(mirror, tmp_path, monkeypatch):
    (tmp_path / "mine.tsv").write_text("id\tsentence1\tsentence2\tlabel\n4\tIs it so ?\tSo is it ?\t1\n")
    monkeypatch.setenv("MASKTUNE_PAWS_QQP", str(tmp_path / "mine.tsv"))
    raw = sources.find(CARDS["paws-qqp/dev_and_test"])
    assert raw.table.to_pylist() == [{"idx": "4", "question1": "Is it so ?", "question2": "So is it ?", "label": 1}]


def test_a_set_that_only_the_user_has_says_which_variable_to_set(nowhere, monkeypatch):
    with pytest.raises(MaskTuneError, match="MASKTUNE_PAWS_QQP is not set; set MASKTUNE_PAWS_QQP to dev_and_test.tsv"):
        sources.find(CARDS["paws-qqp/dev_and_test"])
    monkeypatch.setenv("MASKTUNE_PAWS_QQP", str(nowhere / "mine.tsv"))
    with pytest.raises(MaskTuneError, match="MASKTUNE_PAWS_QQP is '.*mine.tsv', which cannot be read .No such file"):
        sources.find(CARDS["paws-qqp/dev_and_test"])


def _in_the_mirror(card, columns, mirror, monkeypatch):
    save(mirror / "data" / f"{card.name}.parquet", columns)


def _part_in_the_mirror(card, columns, mirror, monkeypatch):
    know(monkeypatch, card.subset.name)
    save(
        mirror / "data" / f"{card.subset.name}.parquet", {name: values[: ROWS // 2] for name, values in columns.items()}
    )


def _on_the_hub(card, columns, mirror, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(mirror / "hub"))
    hub_cache(mirror / "hub", card.source, columns)


def _at_an_address(card, columns, mirror, monkeypatch):
    urls = ("http://127.0.0.1:9/original.tsv", "http://127.0.0.1:9/contrast.tsv")
    monkeypatch.setitem(CARDS, card.name, replace(CARDS[card.name], source=PinnedFiles(urls, "imdb_contrast")))
    texts = [
        f"{('Negative', 'Positive')[label]}\t{text}\n"
        for label, text in zip(columns["label"], columns["sentence"], strict=True)
    ]
    for url, lines in zip(urls, (texts[::2], texts[1::2]), strict=True):
        write_file(sources._cached_path(url), "".join(["Sentiment\tText\n", *lines]))


def _in_a_file_of_the_user(card, columns, mirror, monkeypatch):
    names = ("idx", "question1", "question2", "label")
    lines = ["id\tsentence1\tsentence2\tlabel"]
    lines += ["\t".join(map(str, row)) for row in zip(*(columns[name] for name in names), strict=True)]
    (mirror / "mine.tsv").write_text("\n".join(lines))
    monkeypatch.setenv("MASKTUNE_PAWS_QQP", str(mirror / "mine.tsv"))


WAYS_IN = {
    "sentiment, glue/sst2/train": (_in_the_mirror, "SET.parquet", "mirror --only SET"),
    "paraphrase, glue/qqp/train": (_part_in_the_mirror, "SET_subset.parquet", "mirror --only SET"),
    "sentiment, glue/sst2/validation": (_on_the_hub, "hub dataset nyu-mll/glue.*", "remove .*blobs/.* fetched again"),
    "sentiment, imdb-contrast/test": (_at_an_address, "http://.*contrast.tsv", "remove .* and try again"),
    "paraphrase, paws-qqp/dev_and_test": (_in_a_file_of_the_user, "mine.tsv", "make it anew"),
}


def _swapped_labels(columns):
    return {**columns, "label": [1 - label for label in columns["label"]]}


def _another_text(columns):
    name = next(name for name in columns if name in ("sentence", "question1"))
    return {**columns, name: ["another text", *columns[name][1:]]}


@pytest.mark.parametrize("changed", [None, _swapped_labels, _another_text])
@pytest.mark.parametrize("way", WAYS_IN)
def test_a_set_that_differs_from_its_card_is_refused_wherever_it_comes_from(mirror, monkeypatch, way, changed):
    task, name = way.split(", ")
    put, file, remedy = WAYS_IN[way]
    know(monkeypatch, name)
    (mirror / "data" / f"{name}.parquet").unlink()
    columns = rows_for(CARDS[name])
    put(CARDS[name], columns if changed is None else changed(columns), mirror, monkeypatch)
    if changed is None:
        assert data.load("real", task).task == task
        return
    with pytest.raises(MaskTuneError) as raised:
        data.load("real", task)
    digests = "texts and labels with the digest [0-9a-f]{12}, expected [0-9a-f]{12}"
    said = f"{file}: {name}.* differs from its card: {digests}; .*{remedy}".replace("SET", name)
    assert re.fullmatch(f".*{said}", str(raised.value))


@pytest.mark.parametrize("known", [True, False])
def test_a_copy_that_a_card_knows_of_is_as_good_as_what_the_source_gives(mirror, monkeypatch, known):
    name = "glue/mnli/validation_mismatched"
    know(monkeypatch, name)
    digest = CARDS[name].digest if known else "e" * 64
    monkeypatch.setitem(CARDS, name, replace(CARDS[name], digest="", copy_digests=(digest,)))
    if known:
        assert data.load("real", "inference").task == "inference"
        return
    with pytest.raises(MaskTuneError, match=f"{name} differs from its card: .* expected eeeeeeeeeeee"):
        data.load("real", "inference")


@pytest.mark.parametrize("way", [_in_the_mirror, _on_the_hub])
def test_a_set_whose_texts_no_card_knows_must_be_the_file_that_the_source_gave(mirror, monkeypatch, way):
    name = "glue/qqp/train"
    path = mirror / "data" / f"{name}.parquet"
    if way is _in_the_mirror:
        listed = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        (mirror / "data" / "manifest.json").write_text(json.dumps({name: listed}))
    else:
        path.unlink()
        way(CARDS[name], rows_for(CARDS[name]), mirror, monkeypatch)
        [path] = (mirror / "hub").rglob("blobs/*")
    assert data.load("real", "paraphrase").task == "paraphrase"
    save(path, _swapped_labels(rows_for(CARDS[name])))
    with pytest.raises(MaskTuneError, match=f"{name} differs from its card: sha256 .{{12}}, expected .{{12}}; re"):
        data.load("real", "paraphrase")
