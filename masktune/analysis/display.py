"""What notebooks show besides tables and figures: marked tokens, loss terms, sentences. All of it plain HTML or SVG."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from masktune.analysis.plotting import theme
from masktune.analysis.plotting.theme import Drawing

if TYPE_CHECKING:
    from IPython.display import HTML, Markdown

# Marks that read on light and dark pages and in grey: a frame for a gap, a filled box for what fills it. No one
# colour contrasts with both white and near black, so that frames take the colour of the text, whatever page it is on.
_TOKEN = "display:inline-block;margin:1px 3px 1px 0;padding:0 5px;border-radius:5px;border:1.5px "
STYLES = {
    "plain": _TOKEN + "solid transparent",
    "chosen": _TOKEN + "solid currentColor;font-weight:600",
    "mask": _TOKEN + "dashed currentColor",
    "same": _TOKEN + "dotted currentColor;font-weight:600",
    "changed": _TOKEN + "solid currentColor;background:#e8833a;color:#1b1b1b;font-weight:600",
}


def tokens(
    original: Sequence[str],
    perturbed: Sequence[str],
    positions: Sequence[bool],
    notes: Sequence[str] = (),
    mask: str = "[MASK]",
) -> "HTML":
    """One example in three rows: original, masked, filled. All sequences have the length of the example, L.

    Chosen tokens are framed; a filled token has a dotted frame where the model put back the original and a filled box
    where it put in another one. `notes` (up to three) follow the rows, for example what the classifier says.
    """
    from IPython.display import HTML

    filled = ["same" if one == other else "changed" for one, other in zip(original, perturbed, strict=True)]
    rows = (
        ("original", original, ["chosen"] * len(original)),
        ("masked", [mask] * len(original), ["mask"] * len(original)),
        ("filled", perturbed, filled),
    )
    notes = [*notes, "", "", ""]
    return HTML(
        '<table style="font-size:.95em">'
        + "".join(_row(*row, original, positions, note) for row, note in zip(rows, notes, strict=False))
        + "</table>"
    )


def _row(
    name: str,
    words: Sequence[str],
    styles: Sequence[str],
    original: Sequence[str],
    positions: Sequence[bool],
    note: str,
) -> str:
    """One row: `words` in their `styles` at the chosen positions, the original's plain tokens elsewhere."""
    spans = (
        _span(words[i], styles[i]) if chosen else _span(original[i], "plain") for i, chosen in enumerate(positions)
    )
    return (
        f'<tr><th scope="row" style="text-align:left;padding-right:1em;font-weight:400">{name}</th>'
        f'<td style="text-align:left;white-space:normal;min-width:17em">{"".join(spans)}</td>'
        f'<td style="text-align:left;padding-left:1em">{escape(note)}</td></tr>'
    )


def _span(word: str, style: str) -> str:
    return f'<span style="{STYLES[style]}">{escape(word)}</span>'


def say(sentences: Sequence[str]) -> "Markdown":
    """Sentences as a list of points."""
    from IPython.display import Markdown

    return Markdown("\n".join(f"- {sentence}" for sentence in sentences))


def loss_terms(mlm: float, classification: float, alpha: float) -> Drawing:
    """The joint loss as one bar: how much of it each weighted term makes. Losses in nats, alpha weights L_MLM."""
    first = f"\u03b1 \u00b7 L_MLM = {alpha:g} \u00d7 {mlm:.2f}"
    second = f"(1 \u2212 \u03b1) \u00b7 L_FT = {1 - alpha:.2g} \u00d7 {classification:.2f}"
    shares = {first: alpha * mlm, second: (1 - alpha) * classification}
    colours = (theme.mark("Mask-tuning", []).colour, theme.mark("fine-tuning", []).colour)
    with theme.apply_theme():
        figure = Drawing(figsize=(6.4, 1.35), layout="constrained")
        axis = figure.subplots()
        start = 0.0
        for (label, width), colour in zip(shares.items(), colours, strict=True):
            axis.barh(0, width, left=start, height=0.6, color=colour, label=label, edgecolor="white")
            start += width
        axis.set_yticks([])
        axis.set_xlabel("joint loss L (nats)")
        axis.set_xlim(0, max(start, 1e-9))
        axis.grid(axis="y", visible=False)
        for side in ("top", "right", "left"):
            axis.spines[side].set_visible(False)
        figure.legend(loc="outside upper left", ncols=2)
    figure.alt = f"The joint loss {start:.2f} nats is the sum of {first} and {second}."
    return figure
