"""Names of the keys. All keys of a partition carry its hash tag, so that a commit stays in one cluster slot."""

from __future__ import annotations

from functools import cache

from attrs import field, frozen

from eventflow.domain.events import Event
from eventflow.domain.topics import LANES, TOPIC_OF, Topic
from eventflow.domain.values import Lane


@frozen
class PartitionKeys:
    """The keys of one partition, `<prefix>:{<pp>}:...`."""

    prefix: str
    partition: int
    base: str = field(init=False)
    feed: str = field(init=False)
    _topics: dict[tuple[Topic, Lane], str] = field(init=False, eq=False, repr=False)
    _routes: dict[Lane, dict[type[Event], str]] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        base = f"{self.prefix}:{{{self.partition:02x}}}:"
        topics = {(topic, lane): f"{base}topic:{topic.value}:{lane.value}" for topic in Topic for lane in Lane}
        routes = {lane: {event: topics[topic, lane] for event, topic in TOPIC_OF.items()} for lane in Lane}
        for name, value in (("base", base), ("feed", base + "feed"), ("_topics", topics), ("_routes", routes)):
            object.__setattr__(self, name, value)  # made once: every commit asks for them

    def events(self, job_id: str) -> str:
        return f"{self.base}job:{job_id}:events"

    def live(self, job_id: str) -> str:
        """Hash of what isn't history: progress of the running steps, cancel hint."""
        return f"{self.base}job:{job_id}"

    def jobs_of(self, owner: str | None) -> str:
        """Sorted set of the owner's jobs, or of everybody's: job id by its place in time."""
        return self.base + ("jobs" if owner is None else f"jobs:{owner}")

    def lists_of(self, owner: str) -> tuple[str, str]:
        """The lists that a job of `owner` is in."""
        return self.jobs_of(None), self.jobs_of(owner)

    @property
    def delayed(self) -> str:
        return self.base + "delayed"

    @property
    def parked(self) -> str:
        return self.base + "parked"

    @property
    def sync(self) -> str:
        """Written only to wait for its sync to disk, and with it for that of everything before."""
        return self.base + "sync"

    @property
    def groups(self) -> str:
        """Hash of the consumer groups that trimming waits for: name -> JSON."""
        return self.base + "groups"

    @property
    def trimmed(self) -> str:
        """Hash: feed -> id of the last entry that was trimmed from it."""
        return self.base + "trimmed"

    @property
    def segments(self) -> str:
        """Hash of the archive's segments: name -> number, and number -> name."""
        return self.base + "segments"

    @property
    def replays(self) -> str:
        """Hash of replays to groups: group -> JSON."""
        return self.base + "replays"

    def replay(self, group: str) -> str:
        """Set of the old events that a replay under way has delivered to `group`."""
        return f"{self.base}replay:{group}"

    def tombstones(self, bucket: str) -> str:
        """Hash of archived jobs by the first three hex digits of their random part; small, so that it stays compact."""
        return f"{self.base}archived:{bucket}"

    def tombstone(self, job_id: str) -> tuple[str, bytes]:
        """(hash, field) of the job's tombstone."""
        return self.tombstones(job_id[3:6]), bytes.fromhex(job_id[3:])

    @property
    def progress(self) -> str:
        return self.base + "progress"

    def topic(self, topic: Topic, lane: Lane) -> str:
        return self._topics[topic, lane]

    def routes(self, lane: Lane) -> dict[type[Event], str]:
        """The stream that each type of event is delivered on; a type that is missing is history."""
        return self._routes[lane]

    def retry(self, group: str, topic: Topic) -> str:
        return f"{self.base}retry:{group}:{topic.value}"

    @property
    def admitted(self) -> str:
        """Set of the jobs in progress."""
        return self.base + "admitted"

    def waiting(self, lane: Lane) -> str:
        """Sorted set of the jobs that wait to be admitted, by their turn."""
        return f"{self.base}waiting:{lane.value}"

    def streams_of(self, group: str, topics: tuple[Topic, ...], lanes: tuple[Lane, ...] = LANES) -> tuple[str, ...]:
        """What a member of `group` reads, in order of preference: its retries, then lane by lane the topics.

        Within a lane the last topic of `topics` comes first: what has been begun is finished before more is begun.
        """
        retries = [self.retry(group, topic) for topic in topics]
        return (*retries, *(self.topic(topic, lane) for lane in lanes for topic in reversed(topics)))


@cache
def _partition_keys(prefix: str, number: int) -> PartitionKeys:
    return PartitionKeys(prefix, number)


@cache
def _keys_by_digits(prefix: str, digits: str) -> PartitionKeys:
    return _partition_keys(prefix, int(digits, 16))


@frozen
class Keyspace:
    """All partitions under one prefix. `partitions` counts those that new jobs go to (1 to 256)."""

    prefix: str = "ef"
    partitions: int = 1

    def partition(self, number: int) -> PartitionKeys:
        return _partition_keys(self.prefix, number)

    def of_job(self, job_id: str) -> PartitionKeys:
        return _keys_by_digits(self.prefix, job_id[:2])

    @property
    def all(self) -> tuple[PartitionKeys, ...]:
        return tuple(self.partition(n) for n in range(self.partitions))

    @property
    def paused_workers(self) -> str:
        """Hash of workers that take nothing on: consumer -> JSON. A slot of its own."""
        return f"{self.prefix}:{{workers}}:paused"

    def live_workers(self, group: str) -> str:
        """Sorted set of the group's workers by their last sign of life. In the slot of the paused ones."""
        return f"{self.prefix}:{{workers}}:live:{group}"

    @property
    def api_keys(self) -> str:
        """Hash of API keys: digest -> JSON; with `:made` behind it, the mark of the first. A slot of their own."""
        return f"{self.prefix}:{{keys}}:api"

    @property
    def environment(self) -> str:
        """The log's own id, by which stores know whose they are. In the slot of the API keys."""
        return f"{self.prefix}:{{keys}}:environment"

    def idempotency(self, digest: str) -> str:
        """What a requester's idempotency key stands for, by the key's digest. In the slot of the API keys."""
        return f"{self.prefix}:{{keys}}:idem:{digest}"
