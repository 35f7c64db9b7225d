"""A mirror of invented sentences, with the layout and the columns of the real one."""

from dataclasses import replace

import pytest
from invented_mirror import ROWS, rows_for, save

from masktune.data.catalogue import CARDS


@pytest.fixture
def small_cards(monkeypatch):
    """The real cards, as if every set had `ROWS` rows and every known subset half of them."""
    for name, card in CARDS.items():
        subset = replace(card.subset, rows=ROWS // 2, digest="") if card.subset else None
        monkeypatch.setitem(
            CARDS, name, replace(card, rows=ROWS, digest="", copy_digests=(), blank_rows=0, subset=subset)
        )
    return CARDS


@pytest.fixture
def mirror(small_cards, tmp_path, monkeypatch):
    """A folder with every set under its full name; MASKTUNE_MIRROR names it and nothing else is reachable."""
    folder = tmp_path / "mirror"
    for card in small_cards.values():
        save(folder / "data" / f"{card.name}.parquet", rows_for(card))
    monkeypatch.setenv("MASKTUNE_MIRROR", str(folder))
    monkeypatch.setenv("MASKTUNE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MASKTUNE_PAWS_QQP", raising=False)
    return folder
