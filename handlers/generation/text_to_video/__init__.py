"""Clips of text-to-video services: ordered once, awaited and fetched (`order`), and encoded as a scene (`clip`)."""
