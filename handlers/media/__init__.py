"""Media files: ffmpeg, probing, decoding and base errors, shared by the engine and the ingest of assets."""
