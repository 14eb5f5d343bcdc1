"""Sound: AAC, loudness, music."""
