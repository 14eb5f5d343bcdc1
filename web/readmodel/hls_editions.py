"""What of a job can be listed in playlists: its editions, as a fold of its events. No I/O.

An edition is one timeline of scenes. Players keep lines that they were sent once (RFC 8216, 6.2.1), so that an edition
only grows: a scene that is listed stays listed, though it be rendered again for want of a file. Whoever asks for a job
to be done again gets a new edition under other URLs, while those who watch the old one go on with that.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, evolve, field, frozen
from attrs import evolve as replace

from eventflow.domain import events as ev
from eventflow.domain._records import copy
from eventflow.domain.evolve import apply_in_place
from eventflow.domain.evolve import evolve as evolve_job
from eventflow.domain.state import Job, SceneStatus
from eventflow.domain.values import FileRef, ReprocessFrom, SceneRendition, StoreRole

#: So much of a file's SHA-256 names it in URLs, in hex digits.
NAME_DIGITS = 32
_UPLOADS_ONLY = (ReprocessFrom.UPLOAD, ReprocessFrom.METADATA)


@frozen
class ListedSegment:
    """A segment by its name in URLs; `cells` (8/15 s each) is its duration."""

    name: str
    cells: int
    size_bytes: int


@frozen
class ListedRendition:
    """A scene in one quality; `init` is the name of its init segment, `codecs` as in RFC 6381 or empty."""

    quality: str
    width: int
    height: int
    codecs: str
    init: str
    segments: tuple[ListedSegment, ...]


@frozen
class ListedScene:
    """A scene in a playlist; `start_cells` is where its segments say that they begin."""

    start_cells: int
    duration_cells: int
    renditions: tuple[ListedRendition, ...]


@frozen
class Located:
    """Where a file is now."""

    store: StoreRole
    key: str
    media_type: str


@frozen
class Edition:
    """The scenes in order, without a hole; skipped ones are left out. `number` is the run that it began with.

    `passed` counts the job's scenes that it has come past, skipped ones too. `ended`: no scene will be added.
    """

    number: int
    scenes: tuple[ListedScene, ...] = ()
    passed: int = 0
    ended: bool = False
    complete: bool = False

    @property
    def qualities(self) -> tuple[str, ...]:
        """Those that the first scene is there in."""
        return tuple(rendition.quality for rendition in self.scenes[0].renditions) if self.scenes else ()


@define(eq=False)
class Editions:
    """All editions of a job, the newest last, and where each file is now. `published`: the one that viewers get.

    `uploads` are the scenes' latest, by their numbers. Many jobs are watched at a time, so that of a segment no more
    is kept than its line and its place.
    """

    job: Job | None = None
    editions: list[Edition] = field(factory=lambda: [Edition(1)])
    published: int | None = None
    uploads: dict[int, tuple[ListedRendition, ...]] = field(factory=dict)
    files: dict[tuple[str, str], Located] = field(factory=dict)

    @property
    def current(self) -> Edition:
        """What is shown to those who name none: the published one, or the one that grows."""
        return self.editions[-1] if self.published is None else self.edition(self.published) or self.editions[-1]

    def edition(self, number: int) -> Edition | None:
        return next((edition for edition in self.editions if edition.number == number), None)

    def take(self, event: ev.Event) -> None:
        """Fold one more event. Raises IllegalTransition."""
        kept = slim_event(event)
        if self.job is None:
            self.job = copy(evolve_job(None, kept))
        else:
            apply_in_place(self.job, kept)
        if isinstance(event, ev.ReprocessRequested):
            self._reprocess(event)
            return  # the events that come with it say which scenes are to be made anew
        if isinstance(event, ev.SceneUploaded):
            self._upload(event.scene, event.renditions)
        elif isinstance(event, ev.SceneReused):
            self._upload(event.scene, event.uploaded)
        elif isinstance(event, ev.VideoRelocated):
            self._relocate(frozenset(event.keys))
        elif isinstance(event, ev.VideoPublished):
            self.published = self.editions[-1].number
        self.editions[-1] = _grown(self.editions[-1], self.job, self.uploads)

    def _reprocess(self, event: ev.ReprocessRequested) -> None:
        last = self.editions[-1]
        if last.complete and event.from_stage in _UPLOADS_ONLY:
            return  # the same files, perhaps in another store
        if last.scenes:
            self.editions[-1] = evolve(last, ended=True)
        else:
            del self.editions[-1]
        self.editions.append(Edition(event.run))

    def _relocate(self, keys: frozenset[str]) -> None:
        """What had fallen back is where it belongs by now; under the same names."""
        for name, file in self.files.items():
            if file.store == "fallback" and file.key in keys:
                self.files[name] = evolve(file, store="delivery")

    def _upload(self, scene: int, renditions: tuple[SceneRendition, ...]) -> None:
        self.uploads[scene] = tuple(map(self._list, renditions))

    def _list(self, made: SceneRendition) -> ListedRendition:
        segments = tuple(
            ListedSegment(self._name(made.quality, part.file, ".m4s"), part.duration_cells, part.file.size_bytes)
            for part in made.segments
        )
        init = self._name(made.quality, made.init, ".mp4")
        return ListedRendition(made.quality, made.width, made.height, made.codecs, init, segments)

    def _name(self, quality: str, file: FileRef, suffix: str) -> str:
        """The file's name in URLs, which follows from its content: a name never gets another one."""
        name = file.sha256[:NAME_DIGITS] + suffix
        self.files[quality, name] = Located(file.store, file.key, file.media_type)
        return name


def _grown(edition: Edition, job: Job, uploads: Mapping[int, tuple[ListedRendition, ...]]) -> Edition:
    """The edition with the scenes that can be listed by now."""
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
    return Edition(edition.number, (*edition.scenes, *added), passed, ended, complete)


_NO_FILE = FileRef(store="workspace", key="", sha256="", size_bytes=0, media_type="")
#: Of a reused scene it matters whether it is uploaded.
_UPLOADED = (SceneRendition(quality="", width=0, height=0, decoder_config="", init=_NO_FILE, segments=()),)


def slim_event(event: ev.Event) -> ev.Event:
    """The same of an event alone."""
    if isinstance(event, ev.VideoRequested):
        return ev.VideoRequested(replace(event.request, script=""))  # nor a fork's scenes
    if isinstance(event, ev.ScenePlanned):
        return replace(event, spec=_NO_FILE, narration=None)
    if isinstance(event, ev.SceneReused):
        uploaded = event.uploaded and _UPLOADED
        return replace(event, spec=_NO_FILE, narration=None, renditions=(), uploaded=uploaded)
    if isinstance(event, ev.SceneRendered | ev.SceneUploaded):
        return replace(event, renditions=())
    return event
