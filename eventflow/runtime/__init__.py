"""The consumer runtime: reads a group's streams, runs its handlers under leases, and commits what they return.

Start with `worker` (the loops), then `executor` (one delivery from its bytes to its settlement) and `context` (what a
handler is given).
"""
