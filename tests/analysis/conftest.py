import pytest
from synthetic_study import make


@pytest.fixture(scope="session")
def gathered():
    """A small gathered study: (runs, predictions)."""
    return make()
