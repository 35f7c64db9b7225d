"""Cost: numbers, tables, figures and text."""
