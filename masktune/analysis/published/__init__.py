"""Fine-tuning beside the accuracy that a model's authors published."""

from masktune.analysis.published import numbers, tables

__all__ = ["numbers", "tables"]
