"""The one table that says where an event goes, and who reads it.

An event type that isn't in `TOPIC_OF` is history: it stays in its job's stream and the feed.
"""

from __future__ import annotations

from enum import StrEnum

from eventflow.domain import events as ev
from eventflow.domain.values import Lane


class Topic(StrEnum):
    REQUESTED = "requested"
    PLANNED = "planned"
    RENDERED = "rendered"
    PLAYABLE = "playable"
    COMPLETED = "completed"
    GENERATED = "generated"
    UPLOADED = "uploaded"
    OUTCOME = "outcome"
    DELETION = "deletion"
    DELETED = "deleted"


#: In the order in which a reader prefers them.
LANES: tuple[Lane, ...] = (Lane.HIGH, Lane.NORMAL)

TOPIC_OF: dict[type[ev.Event], Topic] = {
    ev.VideoRequested: Topic.REQUESTED,
    ev.ReprocessRequested: Topic.REQUESTED,
    ev.ScenePlanned: Topic.PLANNED,
    ev.SceneRendered: Topic.RENDERED,
    ev.SceneReused: Topic.RENDERED,
    ev.SceneUploaded: Topic.PLAYABLE,
    ev.ScenesCompleted: Topic.COMPLETED,
    ev.VideoGenerated: Topic.GENERATED,
    ev.VideoUploaded: Topic.UPLOADED,
    ev.VideoPublished: Topic.OUTCOME,
    ev.JobFailed: Topic.OUTCOME,
    ev.JobCancelled: Topic.OUTCOME,
    ev.DeletionRequested: Topic.DELETION,
    ev.JobDeleted: Topic.DELETED,
}

#: Consumer group -> the topics it reads. Groups are independent of each other.
GROUP_TOPICS: dict[str, tuple[Topic, ...]] = {
    "generation": (Topic.REQUESTED, Topic.PLANNED, Topic.COMPLETED),
    "upload": (Topic.RENDERED, Topic.GENERATED),
    "metadata": (Topic.DELETION, Topic.UPLOADED, Topic.OUTCOME),  # who deletes thousands holds up nobody
}

#: Topics that may be silent for months: the server needn't know of a consumer there, because many partitions are read
#: by a script, which leaves no trace on an empty stream.
SELDOM: frozenset[Topic] = frozenset({Topic.DELETION})

#: Reads outcomes at its own pace (`eventflow/archive`). It is no group of handlers, and there needn't be an archive.
ARCHIVE_GROUP = "archive"
#: A deletion is archived without delay, so that a restore knows of it.
ARCHIVE_TOPICS: tuple[Topic, ...] = (Topic.OUTCOME, Topic.DELETED)
