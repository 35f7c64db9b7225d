"""Colours that can be read in light and dark (WCAG 2.2, 1.4.3 and 1.4.11), and what keeps a page from scrolling."""

import re

import pytest

from masktune.analysis import display
from masktune.analysis.report import stylesheet

DARK, PHONE = "@media (prefers-color-scheme: dark)", "@media (max-width: 40rem)"


def rules(css: str) -> list[tuple[str, str, dict[str, str]]]:
    """Every rule as (media, selector, declarations), in order."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    found, media = [], ""
    for selector, declarations, closing in re.findall(r"([^{}]+)\{(?:([^{}]*)\})?|(\})", css):
        if closing:
            media = ""
        elif selector.strip().startswith("@media"):
            media = selector.strip()
            continue
        else:
            pairs = (pair.split(":", 1) for pair in declarations.split(";") if ":" in pair)
            found.append((media, selector.strip(), {name.strip(): " ".join(value.split()) for name, value in pairs}))
    return found


RULES = rules(stylesheet.css())


def declared(selector: str, media: str = "") -> dict[str, str]:
    """What all rules for exactly this selector say together."""
    parts = [own for where, names, own in RULES if where == media and selector in re.split(r",\s*", names)]
    assert parts, f"no rule for {selector}"
    return {name: value for own in parts for name, value in own.items()}


def variables(scheme: str) -> dict[str, str]:
    return declared(":root") | (declared(":root", DARK) if scheme == "dark" else {})


def channels(colour: str) -> list[float]:
    """Red, green, blue and opacity from 0 to 1."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    return [int(digits.ljust(8, "f")[start : start + 2], 16) / 255 for start in (0, 2, 4, 6)]


def over(colour: str, page: str) -> list[float]:
    """A colour that lets through what is below it."""
    *parts, opacity = channels(colour)
    return [opacity * part + (1 - opacity) * below for part, below in zip(parts, channels(page), strict=False)]


def contrast(one: list[float], other: list[float]) -> float:
    def luminance(parts: list[float]) -> float:
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts[:3]]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def colour_of(value: str, scheme: str) -> str:
    name = re.fullmatch(r"var\((--\w+)\)", value)
    return variables(scheme)[name.group(1)] if name else value


def is_code(selector: str) -> bool:
    """Whether the rule is of Pygments; no page shows its numbers of lines."""
    return "linenos" in selector or (".highlight" in selector and selector != ".input .highlight")


def test_the_formula():
    assert contrast(channels("#000"), channels("#ffffff")) == pytest.approx(21)
    assert contrast(channels("#777777"), channels("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_every_ground_of_the_page(scheme):
    used = {own["color"] for _, selector, own in RULES if "color" in own and not is_code(selector)}
    grounds = {own["background"] for _, _, own in RULES if own.get("background", "").startswith("var")}
    assert used >= {"var(--ink)", "var(--quiet)", "var(--link)"} and grounds == {"var(--paper)", "var(--soft)"}
    pairs = {(text, ground) for text in used for ground in grounds}
    found = {
        (text, ground): contrast(channels(colour_of(text, scheme)), channels(colour_of(ground, scheme)))
        for text, ground in pairs
    }
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}
    accent = contrast(channels(variables(scheme)["--accent"]), channels(variables(scheme)["--paper"]))
    assert accent >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_code_can_be_read(scheme):
    ground = variables(scheme)["--soft"]
    whitespace = ".highlight .w"
    tokens = {
        selector: own
        for media, selector, own in RULES
        if is_code(selector)
        and "linenos" not in selector
        and media == (DARK if scheme == "dark" else "")
        and selector != whitespace
    }
    assert len(tokens) > 20
    found = {
        selector: contrast(channels(own["color"]), over(own.get("background-color", ground), ground))
        for selector, own in tokens.items()
        if own.get("color", "").startswith("#")
    }
    assert {selector: ratio for selector, ratio in found.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("page", ["#ffffff", "#16191d", "#111111"], ids=["light", "dark", "dark JupyterLab"])
@pytest.mark.parametrize("mark", ["chosen", "mask", "same", "changed"])
def test_a_marked_token_stands_out_and_can_be_read(mark, page):
    ink = {"#ffffff": "#22272e"}.get(page, "#e3e6ea")
    own = dict(pair.split(":", 1) for pair in display.STYLES[mark].split(";"))
    text = own.get("color", ink)
    box = over(own.get("background", page), page)
    frame = own["border"].split()[-1].replace("currentColor", text)
    assert contrast(channels(text), box) >= 4.5
    assert max(contrast(channels(frame), channels(page)), contrast(box, channels(page))) >= 4.5


def test_what_is_wide_scrolls_in_its_own_frame_and_a_table_under_its_first_column():
    for frame in (".scroll", ".picture", ".output_png", "pre"):
        assert declared(frame)["overflow-x"] == "auto", frame
    shaded = declared(".scroll")["background"]
    assert shaded.count("local") == 2 and shaded.count("scroll") == 2 and "var(--shade)" in shaded
    for kept in ("tr > :first-child", "caption"):
        assert (declared(kept)["position"], declared(kept)["left"]) == ("sticky", "0"), kept
    assert declared("tr > :first-child")["background"] == "var(--paper)"
    assert "outline" in declared(":focus-visible")


def test_on_a_phone_figures_keep_a_width_that_can_be_read():
    assert declared(".picture img", PHONE) == {"width": "46rem", "max-width": "none"}
    assert declared(".output_png img", PHONE) == {"max-width": "46rem"}
    assert "max-width" in declared("tr > :first-child", PHONE)
    assert declared("li")["overflow-wrap"] == "anywhere"


def test_in_the_dark_figures_are_dimmed():
    for card in (".picture", ".output_png"):
        assert declared(card)["filter"] == "brightness(var(--glare))"
    assert float(variables("light")["--glare"]) == 1 and float(variables("dark")["--glare"]) < 0.85
