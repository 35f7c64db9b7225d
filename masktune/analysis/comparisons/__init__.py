"""Comparisons: numbers, tables, figures and text."""
