"""The language models that runs start from: where they come from, how they were trained, how well they predict."""

from masktune.analysis.language_models import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
