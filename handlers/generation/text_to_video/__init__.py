"""Clips by text-to-video services: ordered once, waited for, fetched (`order`), and played as a scene (`clip`)."""
