"""Narration of scenes (`speech`, `narrators`), reading time without a voice (`timing`), and captions."""
