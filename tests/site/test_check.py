"""The rules of the check, in a real browser where there is one: each finds what it is there for, and nothing else."""

import asyncio

import pytest

from masktune.errors import MaskTuneError
from masktune.site.check import __main__ as check
from masktune.site.check import browser, rules

needs_browser = pytest.mark.skipif(browser.find() is None, reason="no Chromium")
PAGE = """<!DOCTYPE html><html lang="en"><head><title>t</title>
<meta name="viewport" content="width=device-width"><style>.scroll {{ overflow-x: auto }}
tr > :first-child {{ position: sticky; left: 0 }}</style></head><body><article>{}</article></body></html>"""
TABLE = '<div class="scroll"><table><caption>c</caption><tr><th scope="col">a</th><td>b</td></tr></table></div>'
WIDE = '<div style="width: 900px">wide</div>'
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
GOOD = f'<img src="{PIXEL}" alt="Mask-tuning gains 7 points on heuristics">'
BAD = [
    (WIDE, "pixels wide in a window of 390: <div"),
    (f'<img src="{PIXEL}" alt="Figure">', 'an image has the text "Figure"'),
    ('<img src="gone.png" alt="Mask-tuning gains 7 points on heuristics" style="width: 9px">', "gone.png"),
    (TABLE.replace("<caption>c</caption>", ""), "has no caption"),
    (TABLE.replace(' scope="col"', ""), "has no scope"),
    (TABLE.replace('class="scroll"', ""), "does not scroll"),
    (TABLE.replace("<th ", '<th style="position: static" '), "is not fixed"),
    (f'<div class="picture">{GOOD}{GOOD}</div>', "not one drawing but 2"),
    ("<script>console.error('broken')</script>", "broken"),
    ("<script>nothing.at.all</script>", "nothing is not defined"),
]  # fmt: skip


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What the check says of each of these pages, and of a good one, on a phone."""
    folder = tmp_path_factory.mktemp("site")
    bodies = [GOOD + TABLE, *(html for html, _ in BAD)]
    for number, html in enumerate(bodies):
        (folder / f"{number}.html").write_text(PAGE.format(html))

    async def look():
        async with browser.tab(browser.find()) as tab:
            await tab.resize(390, 800, dark=False)
            return [await check.look(tab, folder / f"{number}.html", "") for number in range(len(bodies))]

    return asyncio.run(look())


@needs_browser
@pytest.mark.slow
def test_nothing_is_said_of_a_good_page(said):
    assert said[0] == []


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(BAD)))
def test_a_fault_is_found(said, number):
    assert any(BAD[number][1] in line for line in said[number + 1]), said[number + 1]


def test_without_a_site_or_a_browser_one_line_says_so(tmp_path, monkeypatch):
    with pytest.raises(MaskTuneError, match="run make site"):
        check.check(tmp_path, [])
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("x")
    monkeypatch.setattr(browser, "find", lambda: None)
    with pytest.raises(MaskTuneError, match="no browser; install Chromium"):
        check.check(tmp_path, [])


def test_without_npm_contrast_is_left_out_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(check.shutil, "which", lambda name: None)
    assert check.axe(tmp_path) == ""
    assert capsys.readouterr().out == "npm is not there: contrast is not measured\n"


def test_a_page_is_looked_at_on_a_phone_and_in_the_dark():
    assert {(view.width, view.dark) for view in rules.VIEWS} == {(390, False), (1440, True)}
