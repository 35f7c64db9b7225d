"""Methods compared with one another: baselines, controls, and whether the gains of two methods add up."""

from masktune.analysis.comparisons import figures, numbers, pictures, tables, text

__all__ = ["figures", "numbers", "pictures", "tables", "text"]
