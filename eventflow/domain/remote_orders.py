"""Orders that scenes have placed at services. The last order for a scene is the one that counts."""

from __future__ import annotations

from datetime import datetime

from eventflow.domain._records import frozen_record
from eventflow.domain.values import OrderOutcome


@frozen_record(kw_only=True)
class RemoteOrder:
    """An order for a scene. `remote_id` is the service's id, None until the service has taken the order.

    `outcome` tells how it ended without a result. `used`: the scene was rendered from its result. `order` is the
    idempotency key, `request` says what was ordered; both, and `ordered_at`, are missing in logs of version 0.1.
    """

    run: int
    scene: int
    service: str
    order: str = ""
    request: str = ""
    ordered_at: datetime | None = None
    remote_id: str | None = None
    outcome: OrderOutcome | None = None
    answer: str = ""
    used: bool = False

    @property
    def open(self) -> bool:
        """Whether it was sent, or was about to be, and no answer is known."""
        return self.remote_id is None and self.outcome is None


def last_order(orders: tuple[RemoteOrder, ...], scene: int) -> RemoteOrder | None:
    """Return the last order for the scene, of whatever run."""
    return next((order for order in reversed(orders) if order.scene == scene), None)


def with_last(orders: tuple[RemoteOrder, ...], changed: RemoteOrder) -> tuple[RemoteOrder, ...]:
    """Return `orders` with `changed` in place of the last order for its scene."""
    at = max(number for number, order in enumerate(orders) if order.scene == changed.scene)
    return (*orders[:at], changed, *orders[at + 1 :])


def without_used(orders: tuple[RemoteOrder, ...], scenes: tuple[int, ...] | None) -> tuple[RemoteOrder, ...]:
    """Return `orders` without those that `scenes` (None: all) were rendered from: a new rendering wants others."""
    return tuple(order for order in orders if not (order.used and (scenes is None or order.scene in scenes)))
