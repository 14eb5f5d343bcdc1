"""The names of all Redis keys. No other module and no Lua script spells one out.

All keys of a partition carry its hash tag, `<prefix>:{<pp>}:`, so that a commit stays in one slot of a cluster.
Lua scripts that need a name which isn't among their KEYS ask for it as `KEY.events(base, job_id)`; `lua_names` renders
those functions from the methods of `PartitionKeys`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import field, frozen

from eventflow.domain.events import Event
from eventflow.domain.job_ids import is_job_id
from eventflow.domain.topics import LANES, TOPIC_OF, Topic
from eventflow.domain.values import Lane


@frozen
class PartitionKeys:
    """The keys of one partition. `base` is what all their names begin with."""

    prefix: str
    partition: int
    base: str = field(init=False)
    feed: str = field(init=False)  #: stream that names every version of every job
    _routes: dict[Lane, dict[type[Event], str]] = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        base = f"{self.prefix}:{{{self.partition:02x}}}:"
        for name, value in (("base", base), ("feed", f"{base}feed")):
            object.__setattr__(self, name, value)
        routes = {lane: {kind: self.topic(topic, lane) for kind, topic in TOPIC_OF.items()} for lane in Lane}
        object.__setattr__(self, "_routes", routes)  # computed once: every commit reads them

    def events(self, job_id: str) -> str:
        """Stream of the job's events. Entry n-0 is version n."""
        return f"{self.base}job:{job_id}:events"

    def live(self, job_id: str) -> str:
        """Hash of what isn't history: progress of the running steps, cancel hint."""
        return f"{self.base}job:{job_id}"

    @property
    def all_jobs(self) -> str:
        """Sorted set of the jobs of all owners: job id by position, in µs."""
        return f"{self.base}jobs"

    def jobs_of(self, owner: str) -> str:
        """Sorted set of the owner's jobs: job id by position, in µs."""
        return f"{self.base}jobs:{owner}"

    def lists_of(self, owner: str) -> tuple[str, str]:
        """The lists that a job of `owner` is in."""
        return self.all_jobs, self.jobs_of(owner)

    @property
    def delayed(self) -> str:
        """Sorted set of deliveries that are not due yet: `<stream>\\n<payload>` by due time (Unix time, ms)."""
        return f"{self.base}delayed"

    @property
    def dead_letters(self) -> str:
        """Stream of dead letters."""
        return f"{self.base}parked"

    @property
    def sync(self) -> str:
        """A key whose write is awaited on disk, and with it all writes before it."""
        return f"{self.base}sync"

    @property
    def rights(self) -> str:
        """A key that nobody writes: the check of rights asks about it."""
        return f"{self.base}rights"

    @property
    def groups(self) -> str:
        """Hash of the consumer groups that trimming waits for: name -> JSON."""
        return f"{self.base}groups"

    @property
    def trimmed(self) -> str:
        """Hash: feed -> id of the last entry that was trimmed from it."""
        return f"{self.base}trimmed"

    @property
    def segments(self) -> str:
        """Hash of the archive's segments: name -> number, and number -> name."""
        return f"{self.base}segments"

    @property
    def replays(self) -> str:
        """Hash of replays to groups: group -> JSON."""
        return f"{self.base}replays"

    def replay(self, group: str) -> str:
        """Set of the old events that the running replay has delivered to `group`."""
        return f"{self.base}replay:{group}"

    def archive_pointers(self, bucket: str) -> str:
        """Hash of archive pointers whose jobs' random part begins with these three hex digits.

        A small hash stays in Redis's compact encoding (decision 53).
        """
        return f"{self.base}archived:{bucket}"

    def archive_pointer(self, job_id: str) -> tuple[str, bytes]:
        """(hash, field) of the job's archive pointer."""
        return self.archive_pointers(job_id[3:6]), bytes.fromhex(job_id[3:])

    @property
    def progress(self) -> str:
        """Stream of progress notes for live viewers."""
        return f"{self.base}progress"

    def topic(self, topic: Topic, lane: Lane) -> str:
        """Stream of the events of a topic in one lane."""
        return f"{self.base}topic:{topic}:{lane}"

    def routes(self, lane: Lane) -> dict[type[Event], str]:
        """The stream that each type of event is delivered on; a type that is missing is history."""
        return self._routes[lane]

    def retry(self, group: str, topic: Topic) -> str:
        """Stream of the group's own deliveries of a topic: retries, redriven dead letters, replayed events."""
        return f"{self.base}retry:{group}:{topic}"

    @staticmethod
    def begun(stream: str, group: str, entry_id: str) -> str:
        """Hash of the consumers that have begun a delivery of the entry: delivery count -> consumer."""
        return f"{stream}:begun:{group}:{entry_id}"

    @property
    def admission(self) -> str:
        """Hash of admission's counters."""
        return f"{self.base}admission"

    @property
    def admitted(self) -> str:
        """Set of the jobs in progress."""
        return f"{self.base}admitted"

    def waiting(self, lane: Lane) -> str:
        """Sorted set of the jobs that wait for admission, by round and arrival."""
        return f"{self.base}waiting:{lane}"

    def rounds(self, lane: Lane) -> str:
        """Hash: owner -> the round of its last job that waits for admission or did."""
        return f"{self.base}rounds:{lane}"

    def streams_of(self, group: str, topics: tuple[Topic, ...], lanes: tuple[Lane, ...] = LANES) -> tuple[str, ...]:
        """The streams that a member of `group` reads, in order of preference: retries, then topics by lane.

        Within a lane the last of `topics` comes first: started jobs are finished before others are started.
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
        """The keys of partition `number`, from 0."""
        return _partition_keys(self.prefix, number)

    def of_job(self, job_id: str) -> PartitionKeys:
        """The keys of the job's partition."""
        return _keys_by_digits(self.prefix, job_id[:2])

    @property
    def all(self) -> tuple[PartitionKeys, ...]:
        """The keys of every partition."""
        return tuple(self.partition(n) for n in range(self.partitions))

    @property
    def pattern(self) -> str:
        """The pattern (SCAN, ACL) that all keys under the prefix match."""
        return f"{self.prefix}:*"

    @property
    def job_pattern(self) -> str:
        """The SCAN pattern of jobs' keys: their streams of events and their live hashes. See `job_of`."""
        first = self.partition(0)
        return first.live("*").replace(first.base, first.base.replace("{00}", "{*}"))

    def job_of(self, name: str) -> tuple[str, bool] | None:
        """(job id, whether it is the stream of events) of a key that matches `job_pattern`.

        None if it is no job's.
        """
        job_id = next(filter(is_job_id, name.split(":")), None)
        if job_id is None:
            return None
        keys = self.of_job(job_id)
        stream = name == keys.events(job_id)
        return (job_id, stream) if stream or name == keys.live(job_id) else None

    @property
    def paused_workers(self) -> str:
        """Hash of workers that take no new work: consumer -> JSON. Has a slot of its own."""
        return f"{self.prefix}:{{workers}}:paused"

    def live_workers(self, group: str) -> str:
        """Sorted set of the group's workers by their last heartbeat. In the slot of `paused_workers`."""
        return f"{self.prefix}:{{workers}}:live:{group}"

    @property
    def api_keys(self) -> str:
        """Hash of API keys: digest -> JSON; with `:made` behind it, the time of the first.

        Has a slot of its own.
        """
        return f"{self.prefix}:{{keys}}:api"

    @property
    def environment(self) -> str:
        """The log's own id, by which stores recognise their log. In the slot of the API keys."""
        return f"{self.prefix}:{{keys}}:environment"

    def idempotency(self, digest: str) -> str:
        """The reservation of an idempotency key, by the key's digest. In the slot of the API keys."""
        return f"{self.prefix}:{{keys}}:idem:{digest}"


#: How a Lua script asks for a name.
_ASKED_FOR = re.compile(r"\bKEY\.(\w+)")


def lua_names(script: str) -> str:
    """Render the Lua table `KEY`: a function for each name that `script` asks for; "" for none.

    `KEY.events(base, job_id)` joins the same parts as `PartitionKeys.events(job_id)`; `base` is `PartitionKeys.base`.
    Raises AttributeError for a name that `PartitionKeys` doesn't have.
    """
    wanted = sorted(set(_ASKED_FOR.findall(script)))
    functions = "".join(f"  {name} = {_lua_function(name)},\n" for name in wanted)
    return f"local KEY = {{\n{functions}}}\n" if wanted else ""


def _lua_function(name: str) -> str:
    """The Lua function of one name, found by calling its method with marked parameters."""
    keys = PartitionKeys("", 0)
    made: str | Callable[..., Any] = getattr(keys, name)
    parameters = list(inspect.signature(made).parameters) if callable(made) else []
    text = made(*(f"\0{parameter}\0" for parameter in parameters)) if callable(made) else made
    if text.startswith(keys.base):
        text, parameters = text.replace(keys.base, "\0base\0", 1), ["base", *parameters]
    parts = [part if at % 2 else f"'{part}'" for at, part in enumerate(text.split("\0")) if part]
    return f"function({', '.join(parameters)}) return {' .. '.join(parts)} end"
