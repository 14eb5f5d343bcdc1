"""Typst sources. They are joined in the order base, text, one theme, blocks, figures, charts, pages (`pages.py`)."""
