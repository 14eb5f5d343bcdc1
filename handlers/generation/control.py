"""What a pipeline and its caller tell each other while it works: when to stop, how far it is, what is worth noting."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from attrs import frozen

from handlers.generation.errors import Stopped

T = TypeVar("T")


@frozen
class Warned:
    """Something that the requester should know of; `code` is for programs."""

    code: str
    message: str


@frozen
class RemoteStarted:
    """A service has taken on the work under an id of its own."""

    service: str
    remote_id: str


@frozen(kw_only=True)
class Charged:
    """What a service has charged: a decimal number as text, of an ISO 4217 code, "credits" or "tokens".

    `reference` is the service's own id of what it was charged for: the same is noted once. Empty where there is none.
    """

    service: str
    amount: str
    currency: str
    reference: str = ""


#: What a pipeline has to tell on the way. It is in the job's history when `Control.note` returns.
Note = Warned | RemoteStarted | Charged


@frozen(kw_only=True)
class Control:
    """How a caller follows blocking work: asked whether to stop before every piece of it; told the fraction done (0..1)
    and what is worth noting.

    `unwanted` tells, once `should_stop` is true, whether nobody will ever want the result. Otherwise another attempt
    goes on with what a service was given to do.
    """

    should_stop: Callable[[], bool] = lambda: False
    unwanted: Callable[[], bool] = lambda: False
    on_progress: Callable[[float], None] = lambda fraction: None
    note: Callable[[Note], None] = lambda note: None


def until_stopped(items: Iterable[T], should_stop: Callable[[], bool]) -> Iterator[T]:
    """The items one by one. Raises Stopped before the next one where nobody waits for it any more."""
    for item in items:
        if should_stop():
            raise Stopped("stopped while planning")
        yield item
