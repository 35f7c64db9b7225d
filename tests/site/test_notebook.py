import base64
from io import BytesIO

import numpy as np
import pytest
from matplotlib import image

from masktune.site import notebook, pictures


def png():
    made = BytesIO()
    image.imsave(made, np.ones((2, 3, 3)), format="png")
    return base64.b64encode(made.getvalue()).decode()


def code(*outputs, source="1 + 1", tags=()):
    return {"cell_type": "code", "source": [source], "metadata": {"tags": list(tags)}, "outputs": list(outputs)}


def shown(data, **metadata):
    return {"output_type": "execute_result", "data": data, "metadata": metadata}


@pytest.fixture
def page(places, files):
    context = notebook.Context("notebooks/01_x.ipynb", "results/one/01_x", places, files)
    return lambda *cells: notebook.page({"cells": list(cells)}, context)


def test_text_has_the_links_of_the_site(page):
    cell = {"cell_type": "markdown", "source": ["# Title\n", "\n", "See [Holm](glossary.md#holm)."], "metadata": {}}
    assert page(cell) == "# Title\n\nSee [Holm](../../glossary.html#holm).\n"


def test_code_is_shown_and_what_papermill_adds_is_not(page):
    assert page(code(source="study = 1", tags=["injected-parameters"]), code()) == "```python\n1 + 1\n```\n"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"output_type": "stream", "text": ["\x1b[31mred\x1b[0m\n"]}, "```text\nred\n```"),
        ({"output_type": "error", "traceback": ["ValueError: no"]}, "```text\nValueError: no\n```"),
        (shown({"text/plain": ["2"]}), "```text\n2\n```"),
        (shown({"text/markdown": ["- a [b](glossary.md)"], "text/plain": ["x"]}), "- a [b](../../glossary.html)"),
        (shown({"text/html": ["<b>", "bold</b>"], "text/plain": ["x"]}), '<div class="output"><b>bold</b></div>'),
    ],
)
def test_an_output_is_shown_in_its_richest_form(page, output, expected):
    assert expected in page(code(output))


def test_a_bitmap_is_kept_for_both_grounds_with_its_text(page, files):
    made = page(code(shown({"image/png": png(), "text/plain": ["x"]}, **{"image/png": {"alt": "A > B", "width": 30}})))
    assert 'src="01_x-0-0.png" alt="A &gt; B" width="30"' in made
    dark = image.imread(files.target / "results/one/01_x-0-0-dark.png")
    assert np.allclose(dark[..., :3], pictures.PAPER, atol=0.003)
