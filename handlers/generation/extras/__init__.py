"""Extras of a whole video: thumbnails and poster, storyboard and preview, sound file."""
