"""What a check has found, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

from attrs import frozen


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen
class Finding:
    """`remedy` is what to do, and empty where nothing has to be done."""

    part: str
    state: State
    found: str
    remedy: str = ""


def ok(part: str, found: str) -> Finding:
    return Finding(part, State.OK, found)


def warn(part: str, found: str, remedy: str) -> Finding:
    return Finding(part, State.WARN, found, remedy)


def fail(part: str, found: str, remedy: str) -> Finding:
    return Finding(part, State.FAIL, found, remedy)


async def blocking(part: str, remedy: str, check: Callable[[], str], *, timeout_s: float = 60.0) -> Finding:
    """`check` in a thread: what it returns is what was found; anything it raises is a failure, mended by `remedy`."""
    return await awaited(part, remedy, lambda: asyncio.to_thread(check), timeout_s=timeout_s)


async def awaited(
    part: str,
    remedy: str,
    check: Callable[[], Awaitable[str]],
    *,
    timeout_s: float = 60.0,
    passing: tuple[type[Exception], ...] = (),
) -> Finding:
    """The same for a coroutine. Errors of the kinds `passing` are the caller's."""
    try:
        return ok(part, await asyncio.wait_for(check(), timeout_s))
    except TimeoutError:
        return fail(part, f"no answer in {timeout_s:g} s", remedy)
    except passing:
        raise
    except Exception as error:  # whatever is broken, the other checks go on
        return fail(part, f"{type(error).__name__}: {error}", remedy)
