"""Limits of what a request may ask for."""

from typing import Final

SLOWEST_RATE: Final = 0.5
FASTEST_RATE: Final = 2.0
