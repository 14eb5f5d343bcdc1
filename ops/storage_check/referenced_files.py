"""The jobs of a log by id, and the files that a job's history names."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen
from redis.asyncio import Redis

from eventflow.domain.envelope import Envelope
from eventflow.domain.evolve import fold
from eventflow.domain.state import Job
from eventflow.domain.values import FileRef, StoreRole, files_of
from eventflow.log.archive_pointers import BUCKETS, ArchivePointers
from eventflow.log.keys import Keyspace
from ops.replay.scan import scan_jobs

FileKey = tuple[StoreRole, str]
_SERVED: tuple[StoreRole, ...] = ("delivery", "fallback")


async def all_jobs(redis: Redis, keyspace: Keyspace, pointers: ArchivePointers | None) -> list[bytes]:
    """The compact ids (see `compact`) of every job, in the server or archived, sorted: some 60 bytes each.

    Jobs that begin meanwhile may be left out. Raises connection errors.
    """
    found: set[bytes] = set()
    async for page in scan_jobs(redis, keyspace):
        found.update(map(compact, page.jobs))
    if pointers is not None:
        for keys in keyspace.all:
            for bucket in BUCKETS:
                found.update(map(compact, await pointers.bucket(keys, bucket)))
    return sorted(found)


def compact(job_id: str) -> bytes:
    """The id in 17 bytes, which sort as ids do."""
    return bytes.fromhex(job_id[:2] + job_id[3:])


def expanded(raw: bytes) -> str:
    """The id of a compact id."""
    return f"{raw[:1].hex()}-{raw[1:].hex()}"


@frozen
class ReferencedFiles:
    """The files of a job. `named` may exist: an event names them.

    `wanted` must exist: viewers are sent there.

    `at_work`: the job is unfinished, and may name more files at any moment.
    """

    named: frozenset[FileKey] = frozenset()
    wanted: dict[FileKey, FileRef] = field(factory=dict)
    at_work: bool = False


def referenced_files_of(history: Sequence[Envelope]) -> ReferencedFiles:
    """The files of a whole history; none for an empty one. Raises IllegalTransition.

    A deleted job has no files. A file that is named in the fallback store may be on its way to the delivery store,
    under the same key. Files in the workspace aren't wanted: missing ones are made again.
    """
    job = fold(envelope.event for envelope in history)
    if job is None or job.gone:
        return ReferencedFiles(at_work=job is not None and not job.finished)
    named: set[FileKey] = set()
    for file in (file for envelope in history for file in files_of(envelope.event)):
        roles = (file.store,) if file.store == "workspace" else _SERVED
        named |= {(role, file.key) for role in roles}
    return ReferencedFiles(frozenset(named), _wanted(job), not job.finished)


def _wanted(job: Job) -> dict[FileKey, FileRef]:
    served = (job.published, job.uploaded_videos, job.uploaded_thumbnails, job.uploaded_captions)
    files = [*files_of(served), *(file for scene in job.scenes for file in files_of(scene.uploaded))]
    return {(file.store, file.key): file for file in files if file.store != "workspace"}
