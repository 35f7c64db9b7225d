"""Pictures: what they show is what was given, and a text of the user's is never markup."""

import re
from xml.etree import ElementTree

import pytest

from masktune.own.report import charts
from masktune.own.report.charts import Interval, Line


def test_lines_are_drawn_where_their_values_are():
    svg = charts.lines([Line([(1, 50.0), (2, 60.0), (3, 55.0)], 0)], "epoch", "accuracy", "an alt & text", percent=True)
    tree = ElementTree.fromstring(svg)
    assert tree.attrib["aria-label"] == "an alt & text"
    heights = [float(each.attrib["cy"]) for each in tree.iter("circle")]
    assert heights[1] < heights[2] < heights[0]  # higher is further up
    assert heights[0] - heights[2] == pytest.approx(heights[2] - heights[1], abs=0.2)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (54.3, 58.9), (99.5, 100), (50, 50), (0.01, 0.013), (3, 900)])
def test_ticks_are_few_round_numbers_around_the_values(low, high):
    ticks = charts.round_ticks(low, high)
    assert ticks[0] <= low and ticks[-1] >= high and 2 <= len(ticks) <= 8
    assert all(0 <= tick <= 100 for tick in charts.round_ticks(max(low, 0), min(high, 100), percent=True))


def test_an_interval_says_its_numbers_and_lies_around_zero():
    html = charts.intervals([Interval("a <b>", "note", -2.0, (-4.0, 1.0)), Interval("c", "", 1.0, None)])
    assert "\N{MINUS SIGN}2.0 points, \N{MINUS SIGN}4.0 to +1.0" in html and "+1.0 points, no interval" in html
    assert "<b>" not in html and "a &lt;b&gt;" in html
    low, high = map(float, re.search(r'd="M([\d.]+) 13H([\d.]+)" style', html).groups())
    zero = float(re.search(r'class="zero" d="M([\d.]+)', html)[1])
    assert low < zero < high and zero - low == pytest.approx(4 * (high - zero), rel=0.02)


def test_a_confusion_matrix_is_a_table_with_heads():
    html = charts.confusion([[8, 2], [0, 5]], ["no", "<yes>"])
    table = ElementTree.fromstring(html)
    assert [cell.text for cell in table.iter("td")] == ["8", "2", "0", "5"]
    assert [cell.text for cell in table.iter("th")] == ["class", "no", "<yes>", "no", "<yes>"]


def test_changes_of_a_text_are_marked_and_escaped():
    pieces = [("a <script>", None), ("good", "bad"), ("##ly", "##est"), ("film", "film")]
    assert charts.changed(pieces) == (
        "a &lt;script&gt; <del>good</del> <ins>bad</ins><del>ly</del><ins>est</ins> <b>film</b>"
    )
