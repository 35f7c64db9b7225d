"""What a run was computed with."""

import subprocess
import sys

from masktune.study.paths import PROJECT
from masktune.study.run import environment


def test_hardware_without_the_files_of_linux(monkeypatch):
    monkeypatch.setattr(environment.Path, "read_text", lambda *unused, **named: (_ for _ in ()).throw(OSError()))
    assert environment.hardware()["processor"]


def test_the_digest_of_the_source_covers_what_training_imports_and_nothing_that_only_reads():
    names = {path.relative_to(environment.PACKAGE).as_posix() for path in environment.source_files()}
    assert {
        "training/trainer.py",
        "methods/base.py",
        "data/world/__init__.py",
        "study/run/training.py",
        "losses.py",
    } <= names
    assert not {name for name in names if name.startswith("analysis/")} | names & {
        "__main__.py",
        "study/store/gather.py",
    }
    code = "import sys; import masktune.study.run.training; "
    code += "print(*(name for name in sys.modules if name.startswith('masktune.')))"
    asked = [sys.executable, "-c", code]
    ended = subprocess.run(asked, capture_output=True, text=True, check=True, cwd=PROJECT)
    imported = {name.removeprefix("masktune.").replace(".", "/") for name in ended.stdout.split()}
    # Where files are kept says nothing of how a run is trained.
    known = {name.removesuffix(".py").removesuffix("/__init__") for name in names}
    known |= {"study", "study/run", "study/design", "study/paths"}
    assert len(imported) > 20 and imported <= known
