"""The domain: what a job is, what can happen to it, and what follows. No I/O, no clock, no randomness."""
