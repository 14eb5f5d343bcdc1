"""The result of a check, with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from attrs import frozen


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen(kw_only=True)
class Finding:
    """A result: the part that was checked, its state, what was found, and the remedy ("" if none is needed)."""

    part: str
    state: State
    found: str
    remedy: str = ""


def ok(part: str, found: str) -> Finding:
    """Return the finding of a part that works."""
    return Finding(part=part, state=State.OK, found=found)


def warn(part: str, found: str, remedy: str) -> Finding:
    """Return the finding of a part that works, but not as it should."""
    return Finding(part=part, state=State.WARN, found=found, remedy=remedy)


def fail(part: str, found: str, remedy: str) -> Finding:
    """Return the finding of a part that doesn't work."""
    return Finding(part=part, state=State.FAIL, found=found, remedy=remedy)


async def blocking(part: str, remedy: str, check: Callable[[], str], *, timeout_s: float = 60.0) -> Finding:
    """Run `check` in a thread: it returns what it found; an exception is a failure, whose remedy is `remedy`."""
    return await awaited(part, remedy, lambda: asyncio.to_thread(check), timeout_s=timeout_s)


async def awaited(
    part: str,
    remedy: str,
    check: Callable[[], Awaitable[str]],
    *,
    timeout_s: float = 60.0,
    passing: tuple[type[Exception], ...] = (),
) -> Finding:
    """Do the same with a coroutine. Raises errors of the kinds `passing`."""
    try:
        return ok(part, await asyncio.wait_for(check(), timeout_s))
    except TimeoutError:
        return fail(part, f"no answer in {timeout_s:g} s", remedy)
    except passing:
        raise
    except Exception as error:  # one broken part doesn't stop the other checks
        return fail(part, f"{type(error).__name__}: {error}", remedy)
