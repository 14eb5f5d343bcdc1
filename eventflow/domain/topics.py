"""Topics: which events are delivered to consumers, by which stream, and which groups read it.

An event type that isn't in `TOPIC_OF` is history only: it is in its job's stream and the feed.
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


#: In the order in which readers prefer them.
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
    "metadata": (Topic.DELETION, Topic.UPLOADED, Topic.OUTCOME),  # deletions are quick: thousands delay nothing
}

#: Topics that may stay empty for months. Where a script reads many partitions, an empty stream shows no consumer of its
#: group; for these topics that is no sign of a missing worker.
SELDOM: frozenset[Topic] = frozenset({Topic.DELETION})

#: Reads outcomes at its own pace (`eventflow/archive`). It is no group of handlers, and a service may have no archive.
ARCHIVE_GROUP = "archive"
#: Deletions are archived at once, so that a restore doesn't bring the job back.
ARCHIVE_TOPICS: tuple[Topic, ...] = (Topic.OUTCOME, Topic.DELETED)
