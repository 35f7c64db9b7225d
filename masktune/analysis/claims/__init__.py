"""Claims: numbers, tables, figures and text."""
