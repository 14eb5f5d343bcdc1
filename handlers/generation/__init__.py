"""The generation engine: from a script to scenes, pages, speech, segments and MP4 files."""
