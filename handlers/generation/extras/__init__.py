"""Files beside the whole video: thumbnails, poster, storyboard, preview, sound."""
