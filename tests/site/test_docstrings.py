import pytest

from masktune.site.reference.docstrings import markdown
from masktune.site.reference.signatures import signature

HEAD = "| name | what it is |\n| --- | --- |\n"


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("A *b* <c> of `d < e`.", "A \\*b\\* &lt;c&gt; of `d < e`."),
        ("One.\n\n    >>> f(1)\n    2\n    ", "One.\n\n```pycon\n>>> f(1)\n2\n```"),
        ("One:\n\n        x = f(1)\n\n        g(x)\n\n    End.", "One:\n\n```python\nx = f(1)\n\ng(x)\n```\n\nEnd."),
        ("One:\n\n        a  b\n            c\n\n    End.", f"One:\n\n{HEAD}| `a` | b c |\n\nEnd."),
        (
            'One:\n\n    "masked"  mean over `N`\n    "both"    a | b\n              and c\n    ',
            f'One:\n\n{HEAD}| `"masked"` | mean over `N` |\n| `"both"` | a \\| b and c |',
        ),
        (
            "Rates:\n\n              good  bad\n        all   1  2 %\n\n    End.",
            "Rates:\n\n```text\n      good  bad\nall   1  2 %\n```\n\nEnd.",
        ),
    ],
    ids=["prose", "example", "code", "names", "values", "layout"],
)
def test_a_docstring_as_markdown(docstring, expected):
    assert markdown(docstring) == expected


def test_names_that_are_described_become_links():
    known = {"loss": "losses.html#loss"}
    assert markdown("`loss`, `other` and ``loss``.", lambda name: known.get(name, "")).startswith(
        "[`loss`](losses.html#loss), `other` and "
    )


def test_a_signature_has_short_types_and_defaults():
    def documented(self, texts: "collections.abc.Iterable[str]", *, seed: int | None = None) -> list[int]: ...  # noqa: F821

    assert signature(documented) == "(texts: Iterable[str], *, seed: int | None = None) -> list[int]"
    assert signature(type("Wrong", (ValueError,), {})) == ""
