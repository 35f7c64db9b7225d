"""Gradients: numbers, tables, figures and text."""
