"""Narrators behind one interface (`base`), chosen by the prefix of a voice's name (`choice`)."""
