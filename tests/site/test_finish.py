from bs4 import BeautifulSoup

from masktune.site import finish

BODY = """<section><h2>Rates<a class="headerlink" href="#rates">#</a></h2>
<div class="table-wrapper"><table class="docutils"><colgroup><col style="width: 50%"/></colgroup>
<thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>{long}</td></tr></tbody></table></div>
<pre>code</pre>
<dl class="py"><dt class="sig">f(<dl><dd><em class="sig-param">x</em></dd></dl>)</dt><dd>Text.</dd></dl></section>"""


def made():
    return BeautifulSoup(finish.body(BODY.format(long="word " * 20)), "html.parser")


def test_a_table_gets_a_caption_heads_and_a_frame_that_the_keyboard_reaches():
    table = made().table
    assert table.caption.get_text() == "Rates"
    assert [head["scope"] for head in table.select("th")] == ["col", "col"]
    frame = table.find_parent(class_="scroll")
    assert (frame["tabindex"], frame["aria-label"]) == ("0", "Rates")


def test_columns_are_as_wide_as_what_they_hold():
    table = made().table
    assert table.colgroup is None
    assert [cell.get("class") for cell in table.select("td")] == [None, ["long"]]


def test_code_is_reached_by_the_keyboard_and_a_signature_is_no_list():
    page = made()
    assert page.pre["tabindex"] == "0"
    assert page.select("dt dl, dt dd") == []
    assert page.select_one("dl.py > dd").get_text() == "Text."


def test_links_stay():
    link = '<a href="course/index.html">the course</a>'
    assert link in finish.body(f"<p>{link}</p>")


def test_headings_of_the_navigation_have_a_level():
    assert finish.navigation('<p role="heading">Learn</p>') == '<p role="heading" aria-level="2">Learn</p>'
