"""Writes the pages, and has Sphinx make the site of them.

Below a folder that git ignores: `site/` is the site, `site-pages/` the pages as Markdown, `site-trees/` what Sphinx has
read of them, so that the next time only what changed is made anew.
"""

import json
from pathlib import Path
from typing import Any

from masktune import __version__
from masktune.analysis import stamps
from masktune.errors import MaskTuneError
from masktune.site import links, markdown, pictures, tree
from masktune.site.files import Files
from masktune.site.tree import Page

LOOK = Path(__file__).parent / "look"
FOLDER = Path("build")  # below the checkout


def build(root: Path, folder: Path) -> Path:
    """Make the site of a checkout below `folder`; returns its first page.

    Raises MaskTuneError where there is no checkout, Sphinx is not installed, a link leads nowhere, or Sphinx warns.
    """
    if not (root / "RESULTS.md").is_file():
        raise MaskTuneError(f"{root} is no checkout of masktune; run this in one, as `make site` does")
    pages, extra = folder / "site-pages", folder / "site-files"
    write(root, pages, extra)
    _run_sphinx(pages, folder / "site", folder / "site-trees", extra)
    return folder / "site" / "index.html"


def write(root: Path, target: Path, extra: Path) -> None:
    """Write every page as Markdown below `target`, and figures and tables below `extra`."""
    parts = tree.parts(root)
    home = tree.home()
    pages = [home, *(page for part in parts for top in part.pages for page in top.all())]
    places, files = tree.places(root, pages), Files(root, extra)
    # The first page last: what its figure says is known when the page of the study has been written.
    texts = {page.name: page.write(page, places, files) + _below(page.below, "") for page in reversed(pages)}
    texts[home.name] += "".join(_below(part.pages, part.title) for part in parts)
    texts |= _sources(places)
    files.text("_static/openings.js", f"const OPENINGS = {json.dumps(_openings(texts), ensure_ascii=False)};\n")
    files.remove_others()
    for name, text in texts.items():
        _write(target / f"{name}.md", text)
    for path in target.rglob("*.md"):
        if path.relative_to(target).with_suffix("").as_posix() not in texts:
            path.unlink()


def _openings(texts: dict[str, str]) -> dict[str, str]:
    """The first sentences of each page, which the search shows where it cannot read the page itself."""
    found = {name: text for name, text in texts.items() if not text.startswith("---\n")}
    return {name: shown for name, text in found.items() if (shown := markdown.opening(text))}


def _sources(places: links.Places) -> dict[str, str]:
    """Pages for the files that links ask to see; a folder asks for its files in turn."""
    texts: dict[str, str] = {}
    while missing := {path: name for path, name in places.shown.items() if name not in texts}:
        texts |= {name: links.listing(places, path, name) for path, name in missing.items()}
    return texts


def _below(pages: tuple[Page, ...], caption: str) -> str:
    """The directive that puts pages below another one in the navigation."""
    if not pages:
        return ""
    lines = [f"{page.short} </{page.name}>" if page.short else f"/{page.name}" for page in pages]
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["\n```{toctree}", *options, "", *lines, "```", ""])


def _write(path: Path, text: str) -> None:
    """Write a file unless it has this text: Sphinx reads again what is newer."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _run_sphinx(pages: Path, target: Path, trees: Path, extra: Path) -> None:
    try:
        from sphinx.application import Sphinx
    except ImportError:
        raise MaskTuneError("the site needs Sphinx; `make site` installs it, or pip install -e '.[site]'") from None
    app = Sphinx(pages, None, target, trees, "html", confoverrides=configuration(extra), status=None, parallel=2)
    app.build()
    if app._warncount:
        times = "once" if app._warncount == 1 else f"{app._warncount} times"
        raise MaskTuneError(f"Sphinx warned {times}, see above; mend the pages")


def configuration(extra: Path) -> dict[str, Any]:
    """What conf.py of a project that Sphinx documents would hold."""
    dark = "#" + "".join(f"{round(255 * channel):02x}" for channel in pictures.PAPER)
    return {
        "project": "masktune",
        "version": __version__,
        "release": __version__,
        "extensions": ["myst_parser", "masktune.site.finish"],
        "finish": stamps.digest(stamps.source_files()),
        "myst_enable_extensions": ["attrs_inline", "colon_fence"],
        "myst_all_links_external": True,  # the writers know where everything is
        "myst_heading_anchors": 3,
        "suppress_warnings": ["myst.header", "misc.highlighting_failure"],
        "html_theme": "furo",
        "html_title": "masktune",
        "html_static_path": [str(LOOK)],
        "html_extra_path": [str(extra)],
        "html_css_files": ["style.css"],
        "html_js_files": [("search.js", {"priority": 900})],
        "html_theme_options": {
            "light_css_variables": {"color-foreground-muted": "#5d6570"},
            "dark_css_variables": {"color-background-primary": dark, "color-foreground-muted": "#9aa3ae"},
            "top_of_page_buttons": [],
        },
        "html_copy_source": False,
        "html_show_sphinx": False,
        "smartquotes": False,  # quotes of a docstring are those of a string
        "html_domain_indices": False,
        "html_use_index": False,
        "maximum_signature_line_length": 72,
        "add_module_names": False,
        "toc_object_entries_show_parents": "hide",
        "python_display_short_literal_types": True,
    }
