"""What sets of inference need besides accuracy: sub-cases, and two ways from three classes to two."""

from masktune.analysis.inference import numbers, tables

__all__ = ["numbers", "tables"]
