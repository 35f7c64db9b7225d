"""What the first page of a study shows, section by section: for its report, and for the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from masktune.analysis import collapse, language_models, overview, readings, results
from masktune.analysis.accuracy import text
from masktune.analysis.plotting import marks
from masktune.analysis.plotting.theme import Drawing
from masktune.analysis.report import pages
from masktune.analysis.results import Results
from masktune.study.design.study import Study
from masktune.study.paths import deviations


@dataclass(frozen=True)
class Section:
    """A part of the page below a heading. `body` is HTML, `level` that of the heading, `name` that of its table."""

    title: str
    body: str
    level: int = 2
    name: str = ""

    @property
    def html(self) -> str:
        """The section with its heading."""
        shown = f"<h{self.level}>{escape(self.title)}</h{self.level}>{self.body}"
        return f'<section id="{self.name}">{shown}</section>' if self.name else shown


def sections(study: Study) -> list[Section]:
    """The question and what was done, what came out, and every table, computed from the stored runs.

    Figures and tables to download are linked to as `figures/NAME.svg` and `tables/NAME.csv`.
    """
    read = results.read(study.name)
    figures = read.figures()
    return [_opening(study, read, figures["main"]), _numbers(study, read, figures), *_tables(read, figures)]


def _opening(study: Study, read: Results, main: Drawing) -> Section:
    body = [
        f'<p class="question">{escape(study.question)}</p>',
        pages.items(overview.what_it_is(study, read.main, read.runs), "facts"),
        pages.picture("main", f"{read.tables[0].caption} {marks.CONVENTION}", main.alt),
        *_deviations(study),
    ]
    return Section(study.title, "\n".join(body), level=1)


def _deviations(study: Study) -> list[str]:
    """A link to the log of deviations, where there is one."""
    if not deviations(study.name).is_file():
        return []
    link = '<a href="deviations.html">deviations log</a>'
    return [f"<p>What was changed after which results were known stands in the {link}.</p>"]


def _numbers(study: Study, read: Results, figures: dict[str, Drawing]) -> Section:
    """What the numbers say, in sentences, and the figures of differences."""
    sentences = [
        *text.differences(read.differences),
        *text.lopsided(read.main, read.differences),
        *readings.text.matched(read.matched),
        *(collapse.text.collapse(read.collapse) if read.collapse.declared else []),
        *language_models.text.levelled_off(read.language_models),
    ]
    body = [pages.items(sentences)]
    if "differences" in figures:
        caption = read.differences_table.caption.partition(" p:")[0]
        body.append(pages.picture("differences", f"{caption} {marks.CONVENTION}", figures["differences"].alt))
    if "collapse" in figures:
        body.append(pages.picture("collapse", collapse.figures.CAPTION, figures["collapse"].alt))
    return Section("What the numbers say", "\n".join(body))


def _tables(read: Results, figures: dict[str, Drawing]) -> Iterator[Section]:
    for table in read.tables:
        yield Section(table.title, pages.table(table, "tables"), name=table.name)
    if "language_models" in figures:
        caption = "Held-out loss along masked-language-model training."
        yield Section(
            "How the language models were trained",
            pages.picture("language_models", caption, figures["language_models"].alt),
        )
