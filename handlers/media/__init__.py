"""Media files: ffmpeg, probing and decoding, shared by the engine and by the intake of assets."""
