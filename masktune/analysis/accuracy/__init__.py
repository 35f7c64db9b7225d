"""Accuracy: numbers, tables, figures and text."""
