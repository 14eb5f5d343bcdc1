"""Envelopes to JSON bytes and back: a type registry, schema versions and upcasters.

A payload that was written by an older version is lifted by its chain of upcasters (version n to n + 1) before
it is structured, so that handlers and the fold only ever see today's classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args, get_origin

import orjson
from attrs import NOTHING, fields, frozen, has
from cattrs import BaseConverter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from eventflow.domain.events import EVENT_TYPES, Event
from eventflow.envelope import Envelope, is_job_id, mark_of
from eventflow.upcasters import UPCASTERS, Upcaster

JSON = dict[str, Any]

SOURCE = "eventflow"


class DecodeError(Exception):
    """Bytes that are no event of ours: bad JSON, unknown type or version, or a payload that doesn't fit."""


#: Events of a job come in a row, and a worker meets few jobs at a time.
_is_job_id = lru_cache(1024)(is_job_id)


@frozen
class _Codable:
    version: int
    dump: Callable[[Event], JSON]
    load: Callable[[JSON], Any]


T = TypeVar("T")


def _exactly(kind: type[T]) -> Callable[[Any, Any], T]:
    """A hook that takes a value of `kind` as it is. cattrs' own make "None" of null and 12 of "12"."""

    def structure(value: Any, _: Any) -> T:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
        return value

    return structure


def _number(value: Any, _: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise TypeError(f"expected a number, not {type(value).__name__}")
    return float(value)


def _instant(value: Any, _: Any = None) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return instant


def _is_choice(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _choice_hook(kind: Any, _: BaseConverter) -> Callable[[Any, Any], Any]:
    """For `Literal[...]`, looked up in a set."""
    choices = frozenset(get_args(kind))

    def structure(value: Any, _: Any) -> Any:
        if value not in choices:
            raise ValueError(f"{value!r} is none of {', '.join(map(repr, get_args(kind)))}")
        return value

    return structure


def _asks_nothing(kind: Any) -> bool:
    return has(kind) and all(field.default is not NOTHING for field in fields(kind))


def _object_hook(kind: Any, converter: BaseConverter) -> Callable[[Any, Any], Any]:
    """For a class whose fields all have defaults: cattrs' own would make one of an empty array, or of a text."""
    load = make_dict_structure_fn(kind, converter)

    def structure(value: Any, _: Any) -> Any:
        if type(value) is not dict:
            raise TypeError(f"expected an object, not {type(value).__name__}")
        return load(value, kind)

    return structure


def _is_row(kind: Any) -> bool:
    """Whether `kind` is `tuple[X, ...]`."""
    return get_origin(kind) is tuple and get_args(kind)[1:] == (...,)


def _row_hook(kind: Any, converter: BaseConverter) -> Callable[[Any, Any], tuple[Any, ...]]:
    """For `tuple[X, ...]`: takes arrays only, where cattrs' own takes whatever can be iterated, a text too."""
    item = get_args(kind)[0]
    load = converter.get_structure_hook(item)

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise TypeError(f"expected an array, not {type(value).__name__}")
        return tuple([load(each, item) for each in value])

    return structure


def _converter() -> OrjsonConverter:
    converter = make_converter(omit_if_default=True, detailed_validation=False)
    converter.register_structure_hook_factory(_is_choice, _choice_hook)
    converter.register_structure_hook_factory(_asks_nothing, _object_hook)
    converter.register_structure_hook_factory(_is_row, _row_hook)
    for kind in (int, str, bool):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(StrEnum, lambda text, kind: kind(text))  # else the hook of str holds for them
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook(datetime, _instant)
    converter.register_unstructure_hook(datetime, lambda at: at)  # orjson writes RFC 3339
    return converter


class Codec:
    """Encodes and decodes envelopes for the given event classes.

    `upcasters[(type name, n)]` lifts a payload of version n to n + 1.
    """

    def __init__(
        self,
        event_types: Iterable[type[Event]] = EVENT_TYPES,
        upcasters: Mapping[tuple[str, int], Upcaster] | None = None,
    ) -> None:
        self._upcasters = dict(UPCASTERS if upcasters is None else upcasters)
        converter = _converter()
        self._types: dict[str, _Codable] = {}
        for cls in event_types:
            dump = make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True)
            load = make_dict_structure_fn(cls, converter)
            self._types[cls.__name__] = _Codable(cls.SCHEMA_VERSION, dump, load)

    def encode(self, envelope: Envelope) -> bytes:
        """UTF-8 JSON of one envelope."""
        e = envelope
        return self.lay_out(
            e.event, e.job_id, e.seq, e.owner, e.correlation_id, e.causation_id, e.traceparent, e.occurred_at
        )

    def lay_out(
        self,
        event: Event,
        job_id: str,
        seq: int,
        owner: str,
        correlation_id: str,
        causation_id: str,
        traceparent: str,
        occurred_at: datetime,
    ) -> bytes:
        """What `encode` gives for an envelope of these attributes, without making it: each commit needs only bytes."""
        name = type(event).__name__
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": f"{job_id}.{seq}",
                "source": SOURCE,
                "type": name,
                "dataversion": event.SCHEMA_VERSION,
                "subject": job_id,
                "sequence": seq,
                "owner": owner,
                "correlationid": correlation_id,
                "causationid": causation_id,
                "traceparent": traceparent,
                "time": occurred_at,
                "data": self._types[name].dump(event),
            }
        )

    def decode(self, raw: bytes) -> Envelope:
        """The envelope in `raw`. Raises DecodeError, whatever is wrong with it."""
        try:
            body = orjson.loads(raw)
            event = self._event(body["type"], body["dataversion"], body["data"])
            job_id, seq = body["subject"], body["sequence"]
            owner, correlation = body["owner"], body["correlationid"]
            causation, trace = body["causationid"], body["traceparent"]
            words = type(owner) is type(correlation) is type(causation) is type(trace) is str
            if not words or not _is_job_id(job_id) or type(seq) is not int or seq < 1:
                raise DecodeError(f"not an event: the envelope of a {body['type']} has attributes of the wrong kind")
            return Envelope(
                job_id, seq, owner, correlation, causation, trace, _instant(body["time"]), event, mark_of(raw)
            )
        except DecodeError:
            raise
        except Exception as error:
            raise DecodeError(f"not an event: {_reason(error)}") from error

    def _event(self, name: str, version: int, data: JSON) -> Event:
        known = self._types.get(name)
        if known is None:
            raise DecodeError(f"unknown event type {name!r}; was it written by a newer version?")
        if version != known.version:
            data = self._lifted(name, version, known.version, data)
        event: Event = known.load(data)
        return event

    def _lifted(self, name: str, version: int, target: int, data: JSON) -> JSON:
        if version > target:
            raise DecodeError(f"{name} has version {version}; this code reads up to {target}")
        for step in range(version, target):
            upcast = self._upcasters.get((name, step))
            if upcast is None:
                raise DecodeError(f"no upcaster lifts {name} from version {step}")
            data = upcast(data)
        return data


def _reason(error: Exception) -> str:
    return f"attribute {error} is missing" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
