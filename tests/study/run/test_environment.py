"""What a run was computed with."""

from masktune.study.run import environment


def test_hardware_without_the_files_of_linux(monkeypatch):
    monkeypatch.setattr(environment.Path, "read_text", lambda *unused, **named: (_ for _ in ()).throw(OSError()))
    assert environment.hardware()["processor"]
