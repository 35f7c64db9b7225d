"""Declared claims and the paper's: numbers, verdicts, tables and text, and what all studies observed of the paper's."""

from masktune.analysis.claims import (
    figures,
    gate_tables,
    gates,
    numbers,
    observations,
    page,
    paper,
    tables,
    text,
    verdicts,
)

__all__ = ["figures", "gate_tables", "gates", "numbers", "observations", "page", "paper", "tables", "text", "verdicts"]
