"""Given what has happened, when this is wanted, then that happens.

given(requested).when(StartPlanning(1)).then(PlanningStarted(1))
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import frozen

from eventflow.domain.commands import Command
from eventflow.domain.decide import decide, decide_all
from eventflow.domain.errors import DomainError
from eventflow.domain.events import Event
from eventflow.domain.evolve import fold
from eventflow.domain.state import Job


@frozen
class Decision:
    job: Job | None
    commands: tuple[Command, ...]

    def then(self, *expected: Event) -> Job:
        """Exactly these events follow, and the job takes them; returns it afterwards."""
        events, after = decide_all(self.job, self.commands)
        assert events == list(expected)
        assert after is not None
        return after

    def then_nothing(self) -> None:
        assert decide_all(self.job, self.commands)[0] == []

    def then_refused(self, error: type[DomainError], match: str | None = None) -> None:
        (command,) = self.commands
        with pytest.raises(error, match=match):
            decide(self.job, command)


@frozen
class Given:
    job: Job | None

    def when(self, *commands: Command) -> Decision:
        return Decision(self.job, commands)


def given(*history: Event | Sequence[Event]) -> Given:
    """A job with this history: events, or lists of them."""
    flat: list[Event] = []
    for each in history:
        flat += [each] if isinstance(each, Event) else each
    return Given(fold(flat))
