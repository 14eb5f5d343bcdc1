"""Speech, its timing, and captions."""
