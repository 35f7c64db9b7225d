"""Accuracy in and out of distribution: numbers, tables, figures and text."""

from masktune.analysis.accuracy import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
