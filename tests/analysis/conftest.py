from types import SimpleNamespace

import pytest
from synthetic_study import make

from masktune.study.execute.execution import UNATTENDED


@pytest.fixture(scope="session")
def gathered():
    """A small gathered study: (runs, predictions)."""
    return make()


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, in a kernel with a reader before it."""
    displayed = []
    monkeypatch.setattr("IPython.display.display", displayed.append)
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.delenv(UNATTENDED, raising=False)
    return displayed
