"""Lists of names that services tell: of their models, of their voices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import evolve

from handlers.generation.http_services.bodies import json_in
from handlers.generation.http_services.client import Service, http_session

#: Seconds that a list may take.
_LOOK_S: Final = 10.0
#: Statuses of services that don't have a list.
_NOT_TOLD: Final = frozenset({400, 404, 405, 410, 501})


async def names_of(service: Service, path: str, places: tuple[str, ...]) -> list[str] | None:
    """Return the names in a list of the service, or in one of `places` of an object; None where it has none.

    Raises ServiceFailed, ServiceRefused.
    """
    patient = evolve(service, timeout_s=min(service.timeout_s, _LOOK_S))
    async with http_session() as session:
        answer = await patient.ask(session, "GET", path)
        if answer.status in _NOT_TOLD:
            return None
        if not answer.good:
            raise await patient.trouble(session, patient.refusal(answer))
        try:
            return list(_names(json_in(answer.body), places))
        except ValueError:
            if answer.reason.page:
                raise await patient.trouble(session, patient.refusal(answer)) from None
            return None


def _names(value: Any, places: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        value = next((value[place] for place in places if isinstance(value.get(place), list)), [])
    for each in value if isinstance(value, list) else ():
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            for key in ("id", "name", "voice_id"):
                if isinstance(name := each.get(key), str):
                    yield name
