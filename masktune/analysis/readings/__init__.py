"""When a run is read: comparisons at equal accuracy in distribution, and at the best epoch beside the last."""

from masktune.analysis.readings import numbers, tables, text

__all__ = ["numbers", "tables", "text"]
