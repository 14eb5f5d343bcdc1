"""Typst sources, joined by `draw` in the order base, text, one theme, blocks, figures, charts, pages."""
