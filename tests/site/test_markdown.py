import pytest

from masktune.site import markdown


def page(text, places, files):
    return markdown.page(text, "README.md", "results/all", places, files.figures_of("README.md", "results/all"))


def test_links_change_outside_code_alone(places, files):
    code = "`[b](README.md)`\n\n```md\n[c](README.md)\n```\n"
    text = f"[a](notebooks/glossary.md) {code}[`d`](README.md)"
    assert page(text, places, files) == f"[a](../glossary.html) {code}[`d`](../index.html)"


def test_a_figure_is_shown_for_light_pages_and_for_dark_ones(places, files):
    made = page("Before.\n\n![Three & more](figures/main.svg)\n", places, files)
    assert 'class="only-light" src="../figures/main.svg" alt="Three &amp; more"' in made
    assert 'class="only-dark" src="../figures/main-dark.svg" alt="Three &amp; more"' in made
    assert (files.target / "figures" / "main.svg").read_text() == (places.root / "figures" / "main.svg").read_text()
    assert "#161" in (files.target / "figures" / "main-dark.svg").read_text()


def test_it_says_what_the_study_says_of_the_figure(places, files):
    files.says["figures/main"] = "Mask-tuning: 7 points less."
    assert 'alt="Mask-tuning: 7 points less."' in page("![a figure](figures/main.svg)", places, files)


@pytest.mark.parametrize(
    ("text", "opening"),
    [
        ("# T\n\n**Bold** [`code`](a.html) *it*\non two lines.\n\nMore.", "Bold code it on two lines."),
        ("# T\n\n" + markdown.raw('<p class="question">Is a &lt; b?</p><ul><li>x</li></ul>'), "Is a < b?"),
        ("# T\n\n```python\nx\n```\n\nAfter code.", "After code."),
        ("# T\n\n" + "word " * 100, " ".join(["word"] * 48) + " \N{HORIZONTAL ELLIPSIS}"),
        ("# T\n", ""),
    ],
)
def test_a_page_opens_with_words(text, opening):
    assert markdown.opening(text) == opening


def test_comments_go_and_places_become_targets(places, files):
    text = '<!-- findings: by a command -->\n- <a id="holm"></a>**Holm**: a correction.'
    assert page(text, places, files) == "- [**Holm**]{#holm}: a correction."
