"""Sound of scenes: loudness, clips' sound, music, and its encoding as AAC."""
