"""Compares stores and log: files that no event names, and named files that are gone.

Rule 1: stores and jobs are walked together in the order of job ids, so that besides the ids only one job's files and
events are held at a time.
Rule 2: a job is read after its files were listed, and a finding is checked again: beside running workers there are no
false ones.
Rule 3: an orphan is older than the grace period and of a job that isn't at work: other files may be named yet.
Rule 4: a file of a job that this log doesn't know may belong to another environment, or to a job that a restored log
has lost. Such files are removed only on request, and files that can't be of any job never.
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
from ops.storage_check.referenced_files import ReferencedFiles, expanded, referenced_files_of

#: The prefix of jobs' files in each store. Other files (assets, the scene cache) belong to no job.
ROOTS: Mapping[StoreRole, str] = {"workspace": "jobs/", "delivery": "videos/", "fallback": "videos/"}


class FindingKind(StrEnum):
    ORPHAN = "orphan"  #: of a known job, but no event names it
    UNKNOWN = "unknown"  #: of a job that the log doesn't know
    FOREIGN = "foreign"  #: among jobs' files, but its key has no job id
    MISSING = "missing"  #: an event names it, and it is gone
    DAMAGED = "damaged"  #: its size or SHA-256 isn't the event's
    UNREADABLE = "unreadable"  #: the job's history can't be read; its files are left alone
    UPLOAD = "upload"  #: an open multipart upload


@frozen(kw_only=True)
class Finding:
    """One finding. `removed` where a repair has removed it; `job_id` is empty where the key names no job."""

    kind: FindingKind
    store: StoreRole | None
    key: str
    job_id: str
    size_bytes: int = 0
    detail: str = ""
    removed: bool = False


@define
class CheckReport:
    """The totals of a check; `found` and `removed` are counts by kind."""

    jobs: int = 0
    objects: int = 0
    size_bytes: int = 0
    orphan_bytes: int = 0
    unknown_objects: int = 0  #: of jobs that the log doesn't know
    found: dict[str, int] = field(factory=dict)
    removed: dict[str, int] = field(factory=dict)

    @property
    def left(self) -> int:
        """How many findings are left."""
        return sum(self.found.values()) - sum(self.removed.values())

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        kind = finding.kind.value
        self.found[kind] = self.found.get(kind, 0) + 1
        if finding.removed:
            self.removed[kind] = self.removed.get(kind, 0) + 1
        if finding.kind is FindingKind.ORPHAN:
            self.orphan_bytes += finding.size_bytes


@frozen
class Files:
    """A job's files in one store."""

    job_id: str
    objects: tuple[ObjectInfo, ...]


@frozen(kw_only=True)
class Check:
    """One run. Orphans are older than `older_than`.

    `repair` removes orphans, and with `unknown_too` files of unknown jobs.

    With `checksum` every file that viewers are sent to is read.
    """

    log: JobEventStore
    stores: Mapping[StoreRole, ObjectStore]
    older_than: datetime
    repair: bool = False
    unknown_too: bool = False
    checksum: bool = False
    on_finding: Callable[[Finding], None] = lambda _: None
    on_progress: Callable[[CheckReport], None] = lambda _: None

    async def run(self, jobs: Sequence[bytes]) -> CheckReport:
        """Check all jobs; `jobs` are their sorted compact ids. Raises StorageError and connection errors."""
        report = CheckReport()
        async for job_id, found in together(jobs, self.stores):
            await self._job(report, job_id, found)
            self.on_progress(report)
        return report

    async def _job(self, report: CheckReport, job_id: str, found: Mapping[StoreRole, Files]) -> None:
        objects = [info for files in found.values() for info in files.objects]
        report.objects += len(objects)
        report.size_bytes += sum(info.size_bytes for info in objects)
        try:
            history = await self.log.history(job_id) if is_job_id(job_id) else []
            files_of_job = referenced_files_of(history)
        except (DecodeError, DomainError, ArchiveDamaged) as error:
            self._report(
                report, Finding(kind=FindingKind.UNREADABLE, store=None, key="", job_id=job_id, detail=str(error))
            )
            return
        report.jobs += bool(history)
        report.unknown_objects += 0 if history else len(objects)
        kind = FindingKind.ORPHAN if history else FindingKind.UNKNOWN if is_job_id(job_id) else FindingKind.FOREIGN
        await self._orphans(report, kind, job_id, found, files_of_job)
        await self._wanted(report, job_id, found, files_of_job)

    async def _orphans(
        self,
        report: CheckReport,
        kind: FindingKind,
        job_id: str,
        found: Mapping[StoreRole, Files],
        files_of_job: ReferencedFiles,
    ) -> None:
        removed = self.repair and (kind is FindingKind.ORPHAN or (kind is FindingKind.UNKNOWN and self.unknown_too))
        for role, files in found.items():
            for info in files.objects:
                young = info.modified_at > self.older_than
                if (role, info.key) in files_of_job.named or files_of_job.at_work or young:
                    continue
                if removed:
                    await self.stores[role].delete(info.key)
                self._report(
                    report,
                    Finding(
                        kind=kind, store=role, key=info.key, job_id=job_id, size_bytes=info.size_bytes, removed=removed
                    ),
                )

    async def _wanted(
        self, report: CheckReport, job_id: str, found: Mapping[StoreRole, Files], files_of_job: ReferencedFiles
    ) -> None:
        present = {(role, info.key) for role, files in found.items() for info in files.objects}
        for (role, key), file in files_of_job.wanted.items():
            detail = ""
            if (role, key) not in present and not await self._exists(role, key):
                if await self._still_wanted(job_id, file):
                    self._report(
                        report,
                        Finding(
                            kind=FindingKind.MISSING, store=role, key=key, job_id=job_id, size_bytes=file.size_bytes
                        ),
                    )
            elif self.checksum and (detail := await self._damage(file)) and await self._still_wanted(job_id, file):
                self._report(
                    report,
                    Finding(
                        kind=FindingKind.DAMAGED,
                        store=role,
                        key=key,
                        job_id=job_id,
                        size_bytes=file.size_bytes,
                        detail=detail,
                    ),
                )

    async def _exists(self, role: StoreRole, key: str) -> bool:
        try:
            await self.stores[role].head(key)
        except ObjectMissing:
            return False
        return True

    async def _still_wanted(self, job_id: str, file: FileRef) -> bool:
        """Whether the job still names the file: it may have been deleted, moved or replaced since."""
        return (file.store, file.key) in referenced_files_of(await self.log.history(job_id)).wanted

    async def _damage(self, file: FileRef) -> str:
        """What is wrong with the content, read in pieces; "" where nothing is."""
        digest, size_bytes = hashlib.sha256(), 0
        try:
            if file.size_bytes:
                async with aclosing(self.stores[file.store].read(file.key)) as chunks:
                    async for chunk in chunks:
                        digest.update(chunk)
                        size_bytes += len(chunk)
        except ObjectMissing:
            return "it was removed during the check"
        if size_bytes != file.size_bytes:
            return f"it has {size_bytes} bytes; the event says {file.size_bytes}"
        return "" if digest.hexdigest() == file.sha256 else "its SHA-256 isn't the event's"

    def _report(self, report: CheckReport, finding: Finding) -> None:
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
