"""Lengths: numbers, tables, figures and text."""
