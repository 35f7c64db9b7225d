"""What the runs cost in time, memory and energy."""

from masktune.analysis.cost import benchmarks, figures, formatting, numbers, tables, text

__all__ = ["benchmarks", "figures", "formatting", "numbers", "tables", "text"]
