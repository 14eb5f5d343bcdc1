"""The pauses of loops that wait for a server: they double, stop growing, begin again, and are spread by chance."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventflow.backoff import Backoff, backoff_s


class Highest(Random):
    """Always draws the upper end."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_pauses_double_up_to_the_longest_and_begin_again_after_a_success() -> None:
    backoff = Backoff(first_s=0.05, longest_s=0.3, random=Highest())
    assert [backoff.next_s() for _ in range(5)] == pytest.approx([0.05, 0.1, 0.2, 0.3, 0.3])
    backoff.reset()
    assert backoff.next_s() == pytest.approx(0.05)


@given(st.integers(1, 100_000), st.integers())
def test_a_pause_is_between_half_and_all_of_its_step(attempt: int, seed: int) -> None:
    whole = backoff_s(attempt, first_s=0.05, longest_s=2.0, random=Highest())
    assert whole / 2 <= backoff_s(attempt, first_s=0.05, longest_s=2.0, random=Random(seed)) <= whole <= 2.0


def test_two_that_failed_together_do_not_come_back_together() -> None:
    ours, theirs = (Backoff(first_s=0.05, longest_s=2.0, random=Random(seed)) for seed in (1, 2))
    assert ours.next_s() != theirs.next_s()
