"""Tuning: numbers, tables, figures and text."""
