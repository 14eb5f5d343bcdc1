"""The base of all events, those that steps note on the way, which change nothing about what is to be done, and those
of what a finished job has left behind."""

from __future__ import annotations

from typing import ClassVar

from eventflow.domain.carrier import carrier
from eventflow.domain.values import Step


@carrier
class Event:
    """Base of all events. `SCHEMA_VERSION` is the version of the payload that this code writes."""

    SCHEMA_VERSION: ClassVar[int] = 1


@carrier
class UploadFellBack(Event):
    """A file is in local storage, because the delivery store refused it `retry_count` times over."""

    run: int
    step: Step
    scene: int | None
    key: str
    reason: str
    retry_count: int


@carrier
class StepDegraded(Event):
    """Optional work was given up; the video is complete without it."""

    run: int
    step: Step
    reason: str


@carrier
class WarningRaised(Event):
    """Something that the requester should know of, and that keeps nothing from being made: `code` is for programs."""

    run: int
    step: Step
    scene: int | None
    code: str
    message: str


@carrier
class RemoteWorkStarted(Event):
    """A service has taken on work for a scene under an id of its own, by which a later attempt takes it up again."""

    run: int
    scene: int
    service: str
    remote_id: str


@carrier
class CostRecorded(Event):
    """What a service has charged; `amount` is a decimal number as text, `currency` an ISO 4217 code, "credits" or
    "tokens". `reference` is the service's own id of what it was charged for; empty where there is none.
    """

    SCHEMA_VERSION: ClassVar[int] = 2

    run: int
    scene: int | None
    service: str
    amount: str
    currency: str
    reference: str = ""


@carrier
class StreamStarted(Event):
    """The first scene that is shown can be watched, in any quality: a playlist begins. Once for each try."""

    run: int


@carrier
class DeletionRequested(Event):
    """From here on nobody is served the job's files, and nothing is done on it any more.

    `ended_as` is what it was: completed, failed or cancelled.
    """

    reason: str
    ended_as: str


@carrier
class JobDeleted(Event):
    """The files are gone, `files` in number; the history stays, as the tombstone of the job."""

    files: int


@carrier
class VideoRelocated(Event):
    """The files under `keys` are in the delivery store, by the same keys; before they were in the fallback store."""

    keys: tuple[str, ...]
