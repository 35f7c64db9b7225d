import pytest

from masktune.errors import MaskTuneError
from masktune.site import links


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("../notebooks/glossary.md#holm", "../../glossary.html#holm"),
        ("/README.md", "../../index.html"),
        ("one.toml", "../../source/studies/one.toml.html"),
        ("../studies", "../../source/studies/index.html"),
        ("#place", "#place"),
        ("https://arxiv.org/abs/2307.10457", "https://arxiv.org/abs/2307.10457"),
        ("mailto:someone@example.org", "mailto:someone@example.org"),
    ],
)
def test_a_link_goes_to_the_page_of_a_file_or_to_its_source(places, target, address):
    assert places.href(target, "studies/two.toml", "results/embedded/index") == address


@pytest.mark.parametrize("target", ["gone.md", "../../outside.md"])
def test_a_link_that_leads_nowhere_is_named(places, target):
    with pytest.raises(MaskTuneError, match="README.md links to .*which is not there"):
        places.href(target, "README.md", "index")


def test_a_folder_shows_its_files_and_links_to_those_that_are_text(places):
    text = links.listing(places, "studies", "source/studies/index")
    assert "- [`one.toml`](one.toml.html)" in text
    assert "- `picture.bin`" in text
    assert places.shown["studies/one.toml"] == "source/studies/one.toml"


def test_a_file_is_shown_as_it_is_in_a_fence_that_it_cannot_end(places):
    (places.root / "a.md").write_text("```\ncode\n```\n")
    assert links.listing(places, "a.md", "source/a.md").endswith("# `a.md`\n\n````markdown\n```\ncode\n```\n````\n")


def test_what_is_no_text_is_refused(places):
    with pytest.raises(MaskTuneError, match="cannot be shown as text"):
        links.listing(places, "studies/picture.bin", "source/studies/picture.bin")
