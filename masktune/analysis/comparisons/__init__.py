"""Methods compared with one another: baselines, controls, and whether the gains of two methods add up."""

from masktune.analysis.comparisons import figures, numbers, picker, pictures, tables, text

__all__ = ["figures", "numbers", "picker", "pictures", "tables", "text"]
