"""Accuracy with the evaluation texts cut at several lengths."""

from masktune.analysis.lengths import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
