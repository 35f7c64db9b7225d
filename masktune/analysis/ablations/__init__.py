"""One setting of Mask-tuning or of the training varied while the others stay."""

from masktune.analysis.ablations import figures, numbers, settings, slider, tables, text

__all__ = ["figures", "numbers", "settings", "slider", "tables", "text"]
