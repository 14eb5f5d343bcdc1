"""Exponential back-off with jitter: the pauses of every loop that waits for a server or a process to come back.

Pure: it computes pauses and leaves sleeping to the loop, which may also have to stop early. Randomness is passed in.
(Uploads use the library `backoff`, which can wait for as long as a store asks.)
"""

from __future__ import annotations

from random import Random

#: Doubling more often than this changes nothing, but overflows a float at 1,024 (a server away for half an hour).
_MOST_DOUBLINGS = 64


def backoff_s(attempt: int, *, first_s: float, longest_s: float, random: Random) -> float:
    """Seconds to wait after failed attempt number `attempt` (from 1).

    Between half and all of `min(longest_s, first_s * 2 ** (attempt - 1))`: clients that failed together don't come
    back together, and none comes back at once.
    """
    doublings = min(attempt - 1, _MOST_DOUBLINGS)
    return float(min(longest_s, first_s * 2.0**doublings)) * random.uniform(0.5, 1.0)


class Backoff:
    """The growing pauses of one loop; `reset` after a success makes the next pause the first again."""

    __slots__ = ("_attempts", "_first_s", "_longest_s", "_random")

    def __init__(self, *, first_s: float, longest_s: float, random: Random) -> None:
        self._first_s, self._longest_s, self._random = first_s, longest_s, random
        self._attempts = 0

    def next_s(self) -> float:
        """Count a failure and return the seconds to wait before the next try."""
        self._attempts += 1
        return backoff_s(self._attempts, first_s=self._first_s, longest_s=self._longest_s, random=self._random)

    def reset(self) -> None:
        self._attempts = 0
