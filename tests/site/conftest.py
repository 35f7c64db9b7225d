import pytest

from masktune.site.files import Files
from masktune.site.links import Places


@pytest.fixture
def places(tmp_path):
    """A repository with a few files, of which two have pages."""
    root = tmp_path / "repository"
    for name in ("README.md", "notebooks/glossary.md", "studies/one.toml", "studies/two.toml", "studies/picture.bin"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    (root / "figures").mkdir()
    (root / "figures" / "main.svg").write_text('<svg><path style="fill: #ffffff; stroke: #22272e"/></svg>')
    return Places(root, {"README.md": "index", "notebooks/glossary.md": "glossary"})


@pytest.fixture
def files(places, tmp_path):
    return Files(places.root, tmp_path / "files")
