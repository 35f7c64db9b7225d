"""How diverse the perturbed texts are, along training and by the way the language model is trained."""

from masktune.analysis.diversity import figures, numbers, tables, text

__all__ = ["figures", "numbers", "tables", "text"]
