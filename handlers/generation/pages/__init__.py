"""Draws pages: a scene becomes data (`page_data`), which the typst sheets draw in a theme (`draw`); burned captions."""
