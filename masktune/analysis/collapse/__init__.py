"""When does a method lose accuracy: by steps of training and of the language model's adaptation."""

from masktune.analysis.collapse import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
