"""From pictures and sound to segments, and from segments to MP4."""
