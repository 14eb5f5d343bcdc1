"""How pages look: themes, the frames of the aspects, fonts, charts, and the typst sheets that draw all that."""
