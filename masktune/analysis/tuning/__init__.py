"""What tuning tried and chose."""

from masktune.analysis.tuning import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
