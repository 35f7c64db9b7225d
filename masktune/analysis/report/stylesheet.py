"""The look of the report's pages: one stylesheet inside each page, for phone and screen, light and dark."""

from pygments.formatters import HtmlFormatter

from masktune.own.report.frame import STYLE


def css() -> str:
    """The whole stylesheet: the page, and the colours of code in light and dark."""
    light = HtmlFormatter(style="xcode", nobackground=True).get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark", nobackground=True).get_style_defs(".highlight")
    return f"{STYLE}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
