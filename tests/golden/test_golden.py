"""A frozen study gives its expected tables, to the last digit. Meant changes: python tests/golden/regenerate.py."""

import pytest
from golden.regenerate import TABLES, write_tables

EXPECTED = sorted(path.name for path in TABLES.iterdir())


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder)
    return folder


def test_every_table_is_there(rebuilt):
    assert sorted(path.name for path in rebuilt.iterdir()) == EXPECTED
    assert {f"{name}.csv" for name in ("main", "differences", "claims", "conclusions", "details")} < set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_table_is_the_same(rebuilt, name):
    assert (rebuilt / name).read_text(encoding="utf-8") == (TABLES / name).read_text(encoding="utf-8")
