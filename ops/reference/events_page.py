"""`ops/docs/reference/events.md`, from the event classes, the table of transitions and the table of topics."""

from __future__ import annotations

import typing
from typing import Any

import attrs

from eventflow.domain.events import EVENT_TYPES, Event
from eventflow.domain.state import Phase
from eventflow.domain.topics import ARCHIVE_GROUP, ARCHIVE_TOPICS, GROUP_TOPICS, TOPIC_OF, Topic
from eventflow.domain.transitions import TRANSITIONS
from ops.reference.markdown import code, page, prose, table

_INTRODUCTION = """\
A job is the fold of its events. `GET /api/v1/videos/jobs/{id}/events` and `eventflow jobs events JOB` show them. Each
event is stored in an envelope with the names of CloudEvents 1.0: `id` (`<job_id>.<seq>`), `type`, `source`, `subject`
(the job), `time`, `sequence` (the job's version after the event), `dataversion`, `owner`, `correlationid`,
`causationid`, `traceparent` and `data` (the payload). Defaults are left out of payloads.

A topic delivers an event to consumer groups; an event without a topic is history only."""


def events_page() -> str:
    """Return the page of all events, with an overview of topics and one of phases first."""
    overview = "## Topics\n\n" + table(("topic", "events", "read by"), (_topic(topic) for topic in Topic))
    phases = "## Phases\n\n" + table(("phase", "event", "next phase"), _moves())
    return page("Events", _INTRODUCTION, overview, phases, *(_section(kind) for kind in EVENT_TYPES))


def _topic(topic: Topic) -> tuple[str, str, str]:
    kinds = ", ".join(_link(kind) for kind, where in TOPIC_OF.items() if where is topic)
    groups = [name for name, topics in {**GROUP_TOPICS, ARCHIVE_GROUP: ARCHIVE_TOPICS}.items() if topic in topics]
    return code(topic.value), kinds, ", ".join(map(code, groups)) or "no group"


def _link(kind: type[Event]) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _moves() -> list[tuple[str, str, str]]:
    """(phase, event, next phase) of the events that change the phase."""
    return [
        (code(phase.value), _link(kind), code(after.value))
        for phase, moves in TRANSITIONS.items()
        for kind, after in moves.items()
        if after is not phase
    ]


def _section(kind: type[Event]) -> str:
    topic = TOPIC_OF.get(kind)
    phases = [phase.value for phase, moves in TRANSITIONS.items() if kind in moves] or [_first(kind)]
    facts = [
        f"- Payload version: {kind.SCHEMA_VERSION}",
        f"- Topic: {code(topic.value) if topic else 'none'}",
        f"- Possible in: {', '.join(phases)}",
    ]
    parts = [f"## {kind.__name__}", _own_prose(kind), "\n".join(facts)]
    hints = typing.get_type_hints(kind)
    rows = [(code(each.name), code(_type_name(hints[each.name])), _default(each)) for each in attrs.fields(kind)]
    if rows:
        parts.append(table(("field", "type", "default"), rows))
    return "\n\n".join(part for part in parts if part)


def _first(kind: type[Event]) -> str:
    return f"no phase: it begins the job, which is then {Phase.REQUESTED.value}"


def _own_prose(kind: type[Event]) -> str:
    """The class's own docstring: `inspect` would show that of the base class for one that has none."""
    return prose(kind) if kind.__doc__ else ""


def _type_name(hint: Any) -> str:
    if typing.get_args(hint):
        return (
            str(hint)
            .replace("eventflow.domain.values.", "")
            .replace("eventflow.domain.companions.", "")
            .replace("datetime.datetime", "datetime")
        )
    return getattr(hint, "__name__", str(hint))


def _default(attribute: attrs.Attribute[Any]) -> str:
    if attribute.default is attrs.NOTHING:
        return "required"
    default: Any = attribute.default
    value = default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]
    return code(type(value).__name__ + "()" if attrs.has(type(value)) else repr(value))
