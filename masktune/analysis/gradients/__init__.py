"""The two terms of the loss along training: their gradients, and what became of accuracy."""

from masktune.analysis.gradients import explained, numbers, tables, text

__all__ = ["explained", "numbers", "tables", "text"]
