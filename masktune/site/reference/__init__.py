"""The reference of the library, from its docstrings.

modules     a page for each module
docstrings  a docstring as Markdown
signatures  a signature, written out
"""
