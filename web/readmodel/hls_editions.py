"""Editions of a job, as a fold of its events: the scenes and segments that its playlists list. No I/O.

An edition is one timeline of scenes. Players keep the lines that they have read (RFC 8216, 6.2.1), so an edition only
grows: a listed scene stays listed, even when it is rendered again because a file was lost. Reprocessing a job begins a
new edition under other URLs; viewers of the old edition continue with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, evolve, field, frozen

from eventflow.domain import events as ev
from eventflow.domain._records import copy
from eventflow.domain.evolve import apply_in_place
from eventflow.domain.evolve import evolve as evolve_job
from eventflow.domain.state import Job, SceneStatus
from eventflow.domain.values import FileRef, ReprocessFrom, SceneRendition, StoreRole
from web.readmodel.job_status import slim_event

#: Hex digits of a file's SHA-256 that name it in URLs: 128 bits, so that names never collide.
NAME_DIGITS = 32
_UPLOADS_ONLY = (ReprocessFrom.UPLOAD, ReprocessFrom.METADATA)


@frozen
class ListedSegment:
    """A segment by its name in URLs; `cells` (8/15 s each) is its duration."""

    name: str
    cells: int
    size_bytes: int


@frozen(kw_only=True)
class ListedRendition:
    """A scene in one quality, in pixels. `init` is the name of its init segment, `codecs` as in RFC 6381 or empty."""

    quality: str
    width: int
    height: int
    codecs: str
    init: str
    segments: tuple[ListedSegment, ...]


@frozen
class ListedScene:
    """A scene in a playlist. `start_cells` (8/15 s each) is the start time that its segments carry."""

    start_cells: int
    duration_cells: int
    renditions: tuple[ListedRendition, ...]


@frozen
class FileLocation:
    """The store that holds a file now, its key there, and its media type."""

    store: StoreRole
    key: str
    media_type: str


@frozen(kw_only=True)
class Edition:
    """The listed scenes, in order and without a hole; skipped ones are left out.

    `number` is the run that the edition began with. `passed` counts the job's leading scenes that are listed or
    skipped. `ended`: no scene will be added. `complete`: every scene of the job is listed or skipped.
    """

    number: int
    scenes: tuple[ListedScene, ...] = ()
    passed: int = 0
    ended: bool = False
    complete: bool = False

    @property
    def qualities(self) -> tuple[str, ...]:
        """The qualities of the first scene."""
        return tuple(rendition.quality for rendition in self.scenes[0].renditions) if self.scenes else ()


@define(eq=False, kw_only=True)
class Editions:
    """All editions of a job, the newest last, and the location of each file by quality and name.

    `published` is the number of the edition of the published video. `uploads` are the latest renditions of each scene,
    by its number. Many jobs are watched at a time: of a segment only its playlist line and its location are kept.
    """

    job: Job | None = None
    editions: list[Edition] = field(factory=lambda: [Edition(number=1)])
    published: int | None = None
    uploads: dict[int, tuple[ListedRendition, ...]] = field(factory=dict)
    files: dict[tuple[str, str], FileLocation] = field(factory=dict)

    @property
    def current(self) -> Edition:
        """The default edition: the published one, else the one still growing."""
        return self.editions[-1] if self.published is None else self.edition(self.published) or self.editions[-1]

    def edition(self, number: int) -> Edition | None:
        """The edition of that number, if the job has one."""
        return next((edition for edition in self.editions if edition.number == number), None)

    def apply(self, event: ev.Event) -> None:
        """Fold the next event. Raises IllegalTransition."""
        kept = slim_event(event)
        if self.job is None:
            self.job = copy(evolve_job(None, kept))
        else:
            apply_in_place(self.job, kept)
        if isinstance(event, ev.ReprocessRequested):
            self._reprocess(event)
            return  # later events of the same commit say which scenes are made again
        if isinstance(event, ev.SceneUploaded):
            self._upload(event.scene, event.renditions)
        elif isinstance(event, ev.SceneReused):
            self._upload(event.scene, event.uploaded)
        elif isinstance(event, ev.VideoRelocated):
            self._relocate(frozenset(event.keys))
        elif isinstance(event, ev.VideoPublished):
            self.published = self.editions[-1].number
        self.editions[-1] = _extended(self.editions[-1], self.job, self.uploads)

    def _reprocess(self, event: ev.ReprocessRequested) -> None:
        last = self.editions[-1]
        if last.complete and event.from_stage in _UPLOADS_ONLY:
            return  # the same files, perhaps in another store
        if last.scenes:
            self.editions[-1] = evolve(last, ended=True)
        else:
            del self.editions[-1]
        self.editions.append(Edition(number=event.run))

    def _relocate(self, keys: frozenset[str]) -> None:
        """Files of the fallback store were moved to the delivery store; their names stay."""
        for name, file in self.files.items():
            if file.store == "fallback" and file.key in keys:
                self.files[name] = evolve(file, store="delivery")

    def _upload(self, scene: int, renditions: tuple[SceneRendition, ...]) -> None:
        self.uploads[scene] = tuple(map(self._list, renditions))

    def _list(self, rendition: SceneRendition) -> ListedRendition:
        segments = tuple(
            ListedSegment(self._name(rendition.quality, part.file, ".m4s"), part.duration_cells, part.file.size_bytes)
            for part in rendition.segments
        )
        return ListedRendition(
            quality=rendition.quality,
            width=rendition.width,
            height=rendition.height,
            codecs=rendition.codecs,
            init=self._name(rendition.quality, rendition.init, ".mp4"),
            segments=segments,
        )

    def _name(self, quality: str, file: FileRef, suffix: str) -> str:
        """The file's name in URLs, made of its content: one name never stands for two contents. Notes its location."""
        name = file.sha256[:NAME_DIGITS] + suffix
        self.files[quality, name] = FileLocation(file.store, file.key, file.media_type)
        return name


def _extended(edition: Edition, job: Job, uploads: Mapping[int, tuple[ListedRendition, ...]]) -> Edition:
    """The edition with the next scenes that are uploaded or skipped."""
    if edition.ended:
        return edition
    added, passed = list[ListedScene](), edition.passed
    for scene in job.scenes[passed:]:
        if scene.status is SceneStatus.UPLOADED and (renditions := uploads.get(passed)):
            added.append(ListedScene(scene.start_cells, scene.duration_cells, renditions))
        elif scene.status is not SceneStatus.SKIPPED:
            break
        passed += 1
    complete = bool(edition.scenes or added) and passed == job.scene_count
    ended = complete or job.finished
    if passed == edition.passed and not ended:
        return edition
    scenes = (*edition.scenes, *added)
    return Edition(number=edition.number, scenes=scenes, passed=passed, ended=ended, complete=complete)
