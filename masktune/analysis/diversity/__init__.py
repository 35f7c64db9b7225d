"""Diversity: numbers, tables, figures and text."""
