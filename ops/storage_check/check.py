"""Compares stores and log: files that no event names, and files that are named and gone.

Rule 1: stores and jobs are walked together in the order of job ids, so that no more than one job's files and events
are held at a time, besides the ids.
Rule 2: a job is read after its files were listed, and whatever looks wrong is looked at again: a check beside running
workers finds nothing that isn't so.
Rule 3: only what is older than the grace, and of no job that is at work, is an orphan: it may be named yet.
Rule 4: what no job of this log is known by isn't nobody's for that: another environment may have it, or a log that was
restored has lost it. Such files go only if that is asked for, and what no job could be called never.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from enum import StrEnum

from attrs import define, field, frozen

from eventflow.domain.errors import DomainError
from eventflow.domain.job_ids import is_job_id
from eventflow.domain.values import FileRef, StoreRole
from eventflow.log.codec import DecodeError
from eventflow.log.errors import ArchiveDamaged
from eventflow.log.event_store import JobEventStore
from eventflow.storage import ObjectInfo, ObjectMissing, ObjectStore
from ops.storage_check.referenced_files import Claims, claims_of, expanded

#: Under which each store has the files of jobs. What is elsewhere (assets, the scene cache) isn't jobs'.
ROOTS: Mapping[StoreRole, str] = {"workspace": "jobs/", "delivery": "videos/", "fallback": "videos/"}


class Kind(StrEnum):
    ORPHAN = "orphan"  #: of a job of the log, and no event names it
    UNKNOWN = "unknown"  #: of a job that the log doesn't know
    FOREIGN = "foreign"  #: where jobs have their files, under a name that is no job's
    MISSING = "missing"  #: named, and gone
    DAMAGED = "damaged"  #: its content isn't what the event says
    UNREADABLE = "unreadable"  #: the job's history; its files are left alone
    UPLOAD = "upload"  #: an open multipart upload


@frozen
class Finding:
    """`removed` where a repair has done away with it. `job_id` is empty where a key tells of none."""

    kind: Kind
    store: StoreRole | None
    key: str
    job_id: str
    size_bytes: int = 0
    detail: str = ""
    removed: bool = False


@define
class Report:
    """What was seen; `found` and `removed` are counts by kind."""

    jobs: int = 0
    objects: int = 0
    size_bytes: int = 0
    orphan_bytes: int = 0
    unknown_objects: int = 0  #: of jobs that the log doesn't know
    found: dict[str, int] = field(factory=dict)
    removed: dict[str, int] = field(factory=dict)

    @property
    def left(self) -> int:
        return sum(self.found.values()) - sum(self.removed.values())

    def add(self, finding: Finding) -> None:
        kind = finding.kind.value
        self.found[kind] = self.found.get(kind, 0) + 1
        if finding.removed:
            self.removed[kind] = self.removed.get(kind, 0) + 1
        if finding.kind is Kind.ORPHAN:
            self.orphan_bytes += finding.size_bytes


@frozen
class Files:
    """A job's files in one store."""

    job_id: str
    objects: tuple[ObjectInfo, ...]


@frozen
class Check:
    """One run. Orphans are `older_than` that time. With `repair` orphans are removed, and with `unknown_too` files of
    unknown jobs; nothing else ever is.

    With `checksum` every file that viewers are sent to is read.
    """

    log: JobEventStore
    stores: Mapping[StoreRole, ObjectStore]
    older_than: datetime
    repair: bool = False
    unknown_too: bool = False
    checksum: bool = False
    on_finding: Callable[[Finding], None] = lambda _: None
    on_progress: Callable[[Report], None] = lambda _: None

    async def run(self, jobs: Sequence[bytes]) -> Report:
        """`jobs` are the sorted compact ids of all jobs. Raises StorageError and connection errors."""
        report = Report()
        async for job_id, found in together(jobs, self.stores):
            await self._job(report, job_id, found)
            self.on_progress(report)
        return report

    async def _job(self, report: Report, job_id: str, found: Mapping[StoreRole, Files]) -> None:
        objects = [info for files in found.values() for info in files.objects]
        report.objects += len(objects)
        report.size_bytes += sum(info.size_bytes for info in objects)
        try:
            history = await self.log.history(job_id) if is_job_id(job_id) else []
            claims = claims_of(history)
        except (DecodeError, DomainError, ArchiveDamaged) as error:
            self._tell(report, Finding(Kind.UNREADABLE, None, "", job_id, detail=str(error)))
            return
        report.jobs += bool(history)
        report.unknown_objects += 0 if history else len(objects)
        kind = Kind.ORPHAN if history else Kind.UNKNOWN if is_job_id(job_id) else Kind.FOREIGN
        await self._orphans(report, kind, job_id, found, claims)
        await self._wanted(report, job_id, found, claims)

    async def _orphans(
        self, report: Report, kind: Kind, job_id: str, found: Mapping[StoreRole, Files], claims: Claims
    ) -> None:
        removed = self.repair and (kind is Kind.ORPHAN or (kind is Kind.UNKNOWN and self.unknown_too))
        for role, files in found.items():
            for info in files.objects:
                young = info.modified_at > self.older_than
                if (role, info.key) in claims.named or claims.at_work or young:
                    continue
                if removed:
                    await self.stores[role].delete(info.key)
                self._tell(report, Finding(kind, role, info.key, job_id, info.size_bytes, removed=removed))

    async def _wanted(self, report: Report, job_id: str, found: Mapping[StoreRole, Files], claims: Claims) -> None:
        there = {(role, info.key) for role, files in found.items() for info in files.objects}
        for (role, key), file in claims.wanted.items():
            detail = ""
            if (role, key) not in there and not await self._exists(role, key):
                if await self._still_wanted(job_id, file):
                    self._tell(report, Finding(Kind.MISSING, role, key, job_id, file.size_bytes))
            elif self.checksum and (detail := await self._damage(file)) and await self._still_wanted(job_id, file):
                self._tell(report, Finding(Kind.DAMAGED, role, key, job_id, file.size_bytes, detail))

    async def _exists(self, role: StoreRole, key: str) -> bool:
        try:
            await self.stores[role].head(key)
        except ObjectMissing:
            return False
        return True

    async def _still_wanted(self, job_id: str, file: FileRef) -> bool:
        """It may have been deleted, moved or made anew since the job was read."""
        return (file.store, file.key) in claims_of(await self.log.history(job_id)).wanted

    async def _damage(self, file: FileRef) -> str:
        """What is wrong with the content, read in pieces; empty where nothing is."""
        digest, size_bytes = hashlib.sha256(), 0
        try:
            if file.size_bytes:
                async with aclosing(self.stores[file.store].read(file.key)) as chunks:
                    async for chunk in chunks:
                        digest.update(chunk)
                        size_bytes += len(chunk)
        except ObjectMissing:
            return "it went while it was looked at"
        if size_bytes != file.size_bytes:
            return f"it has {size_bytes} bytes, and should have {file.size_bytes}"
        return "" if digest.hexdigest() == file.sha256 else "its SHA-256 isn't the one of the event"

    def _tell(self, report: Report, finding: Finding) -> None:
        report.add(finding)
        self.on_finding(finding)


async def together(
    jobs: Sequence[bytes], stores: Mapping[StoreRole, ObjectStore]
) -> AsyncIterator[tuple[str, dict[StoreRole, Files]]]:
    """Every job of the log or with files in a store, in the order of ids, with its files in each store.

    `jobs` are sorted compact ids.
    """
    walks = {role: _by_job(store, ROOTS[role]) for role, store in stores.items()}
    heads: dict[StoreRole, Files] = {}
    for role, walk in walks.items():
        if (files := await anext(walk, None)) is not None:
            heads[role] = files
    known = map(expanded, jobs)
    next_known = next(known, None)
    while heads or next_known is not None:
        first = min([files.job_id for files in heads.values()] + ([next_known] if next_known is not None else []))
        found = {role: files for role, files in heads.items() if files.job_id == first}
        yield first, found
        for role in found:
            files = await anext(walks[role], None)
            if files is None:
                del heads[role]
            else:
                heads[role] = files
        if next_known == first:
            next_known = next(known, None)


async def _by_job(store: ObjectStore, root: str) -> AsyncIterator[Files]:
    """The files below `root`, job by job; stores list them by key."""
    present, objects = "", list[ObjectInfo]()
    async for info in store.list(root):
        job_id = info.key.removeprefix(root).partition("/")[0]
        if job_id != present and objects:
            yield Files(present, tuple(objects))
            objects = []
        present = job_id
        objects.append(info)
    if objects:
        yield Files(present, tuple(objects))
