"""Reads pasted texts by their shapes: what is said, shown and left out. `decide` is the entry."""
