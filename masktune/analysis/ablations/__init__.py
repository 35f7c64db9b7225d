"""Ablations: numbers, tables, figures and text."""
