"""What the stores hold, held against what the log says they should."""
