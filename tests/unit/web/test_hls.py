"""Playlists as a function of a job's events, read by another parser and compared with RFC 8216."""

from __future__ import annotations

import hashlib
from typing import Any

import m3u8
import pytest
from attrs import evolve

from eventflow.domain import commands as cmd
from eventflow.domain.decide import decide_all
from eventflow.domain.state import Job
from eventflow.domain.values import FileRef, OnSceneFailure, ReprocessFrom, SceneRendition, Segment, Step, StoreRole
from tests.support import stories as s
from web.readmodel.hls_editions import Edition, Editions
from web.readmodel.hls_playlists import captions_playlist, master_playlist, media_playlist

SIZES = {"720p": (1280, 720), "360p": (640, 360)}
CELLS = (11, 2)


def file(name: str, size: int = 1_000, store: StoreRole = "delivery") -> FileRef:
    return FileRef(
        store=store,
        key=f"videos/j/{name}",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
        size_bytes=size,
        media_type="video/mp4",
    )


def renditions(scene: int, take: str = "", store: StoreRole = "delivery") -> tuple[SceneRendition, ...]:
    """Two segments of 11 and 2 cells in two qualities; the init segment is the same in every scene."""
    return tuple(
        SceneRendition(
            quality=quality,
            width=SIZES[quality][0],
            height=SIZES[quality][1],
            decoder_config="config",
            init=file(f"{quality}-init", store=store),
            segments=tuple(
                Segment(file(f"{quality}-{scene}-{n}{take}", cells * 50_000, store), cells)
                for n, cells in enumerate(CELLS)
            ),
            codecs="avc1.64001f,mp4a.40.2",
        )
        for quality in SIZES
    )


class Made:
    """A job that is driven by commands, and its editions, which see every event."""

    def __init__(self, scenes: int = 3, **request: Any) -> None:
        self.job: Job | None = None
        self.editions = Editions()
        self.starts = [scene * sum(CELLS) for scene in range(scenes)]
        self.do(cmd.RequestVideo(s.requested(**request).request), cmd.StartPlanning(1), s.announce(scenes))
        for scene, start in enumerate(self.starts):
            self.do(
                cmd.PlanScene(
                    run=1,
                    scene=scene,
                    title="",
                    start_cells=start,
                    duration_cells=sum(CELLS),
                    spec=s.WORK_FILE,
                    narration=None,
                    source=f"source {scene}",
                )
            )

    def do(self, *commands: cmd.Command) -> None:
        events, self.job = decide_all(self.job, commands)
        for event in events:
            self.editions.apply(event)

    def upload(self, *scenes: int, take: str = "", store: StoreRole = "delivery") -> None:
        assert self.job is not None
        for scene in scenes:
            run = self.job.scenes[scene].run
            made = renditions(scene, take, store)
            self.do(
                cmd.FinishScene(scene=scene, run=run, renditions=made),
                cmd.FinishSceneUpload(scene=scene, run=run, renditions=made),
            )

    def fail(self, scene: int, step: Step = Step.RENDER_SCENE) -> None:
        assert self.job is not None
        self.do(
            cmd.FailStep(step=step, scene=scene, run=self.job.scenes[scene].run, failure=s.failure(), retry_at=None)
        )

    def publish(self) -> None:
        assert self.job is not None
        run = self.job.run
        self.do(s.finish_video(run), s.finish_upload(run), s.publish(run))

    @property
    def edition(self) -> Edition:
        return self.editions.current

    def text(self, quality: str = "720p") -> str:
        return media_playlist(self.edition, quality)


def parsed(text: str) -> m3u8.M3U8:
    return m3u8.loads(text)


def names(scenes: list[int], quality: str = "720p", take: str = "") -> list[str]:
    wanted = [r for scene in scenes for r in renditions(scene, take) if r.quality == quality]
    return [f"stream/{quality}/{seg.file.sha256[:32]}.m4s" for r in wanted for seg in r.segments]


def listed(text: str) -> list[str]:
    return [segment.uri for segment in parsed(text).segments]


def lines_of(text: str) -> list[str]:
    """Without the line that says whether it grows, and the end."""
    return [line for line in text.splitlines() if not line.startswith(("#EXT-X-PLAYLIST-TYPE", "#EXT-X-ENDLIST"))]


def test_it_lists_the_leading_scenes_and_stops_at_the_first_hole() -> None:
    job = Made(4)
    assert job.edition.scenes == ()
    job.upload(2)
    assert job.edition.scenes == ()
    job.upload(0)
    assert listed(job.text()) == names([0])
    assert listed(job.text("360p")) == names([0], "360p")
    job.upload(1)
    assert listed(job.text()) == names([0, 1, 2])
    playlist = parsed(job.text())
    assert playlist.playlist_type == "event"
    assert not playlist.is_endlist
    job.upload(3)
    playlist = parsed(job.text())
    assert playlist.playlist_type == "vod"
    assert playlist.is_endlist


def test_tags_of_every_playlist() -> None:
    job = Made(2)
    job.upload(0, 1)
    playlist = parsed(job.text())
    assert (playlist.version, playlist.target_duration, playlist.media_sequence) == (7, 6, 0)
    assert playlist.is_independent_segments
    (init,) = playlist.segment_map
    assert init.uri == f"stream/720p/{renditions(0)[0].init.sha256[:32]}.mp4"
    durations = [segment.duration for segment in playlist.segments]
    assert durations == pytest.approx([11 * 8 / 15, 2 * 8 / 15] * 2, abs=1e-6)
    assert all(round(duration) <= playlist.target_duration for duration in durations)
    assert not any(segment.discontinuity for segment in playlist.segments)


def test_no_line_changes_while_it_grows() -> None:
    job, before = Made(6), list[str]()
    for scene in (0, 3, 1, 2, 5, 4):
        job.upload(scene)
        lines = lines_of(job.text())
        assert lines[: len(before)] == before
        before = lines


def test_attributes_of_the_master_playlist() -> None:
    job = Made(2)
    job.upload(0)
    master = parsed(master_playlist(job.edition))
    assert master.is_variant
    light, heavy = master.playlists
    assert [p.stream_info.resolution for p in (light, heavy)] == [(640, 360), (1280, 720)]
    assert heavy.uri == "stream.m3u8?quality=720p&edition=1"
    info = heavy.stream_info
    assert info.codecs == "avc1.64001f,mp4a.40.2"
    assert info.frame_rate == 30.0
    assert info.bandwidth == info.average_bandwidth == 750_000  # 50,000 bytes in each 8/15 s
    assert not master.media
    with_captions = parsed(master_playlist(job.edition, ["en-US"]))
    (track,) = with_captions.media
    assert (track.type, track.language, track.uri) == ("SUBTITLES", "en-US", "stream.m3u8?captions=en-US&edition=1")
    assert {p.stream_info.subtitles for p in with_captions.playlists} == {track.group_id}


def test_it_begins_at_its_beginning() -> None:
    job = Made(2)
    job.upload(0)
    (line,) = [line for line in job.text().splitlines() if line.startswith("#EXT-X-START")]
    assert 0 < float(line.partition("TIME-OFFSET=")[2]) < 1 / 30  # the first picture; to some players 0 is no place
    assert "#EXT-X-START" not in master_playlist(job.edition)  # libavformat takes that for a media playlist


def test_captions_are_one_segment_of_the_videos_length() -> None:
    job = Made(2)
    job.upload(0, 1)
    playlist = parsed(captions_playlist(job.edition, "en-US", "t"))
    (segment,) = playlist.segments
    assert segment.uri == "captions.vtt?language=en-US&token=t"
    assert segment.duration == pytest.approx(26 * 8 / 15, abs=1e-6)
    assert playlist.target_duration >= segment.duration
    assert playlist.is_endlist


def test_every_uri_carries_the_token() -> None:
    job = Made(1)
    job.upload(0)
    token = "1.k.x"
    playlist = parsed(media_playlist(job.edition, "720p", token))
    assert all(uri.endswith(f"?token={token}") for uri in (*playlist.files, playlist.segment_map[0].uri))
    master = parsed(master_playlist(job.edition, ["de"], token))
    assert all(each.uri.endswith(f"&token={token}") for each in (*master.playlists, *master.media))
    assert media_playlist(job.edition, "720p") == media_playlist(job.edition, "720p", token).replace(
        f"?token={token}", ""
    )


def test_a_skipped_scene_is_marked_as_a_discontinuity() -> None:
    job = Made(4, on_scene_failure=OnSceneFailure.SKIP)
    job.upload(0, 2, 3)
    before = lines_of(job.text())
    assert listed(job.text()) == names([0])
    job.fail(1)
    assert lines_of(job.text())[: len(before)] == before
    playlist = parsed(job.text())
    assert listed(job.text()) == names([0, 2, 3])
    assert [segment.discontinuity for segment in playlist.segments] == [False, False, True, False, False, False]
    assert playlist.is_endlist


def test_skipped_scenes_at_either_end_leave_no_trace() -> None:
    job = Made(3, on_scene_failure=OnSceneFailure.SKIP)
    job.upload(1)
    job.fail(0)
    assert listed(job.text()) == names([1])
    job.fail(2)
    playlist = parsed(job.text())
    assert listed(job.text()) == names([1])
    assert playlist.is_endlist
    assert not any(segment.discontinuity for segment in playlist.segments)


def test_another_init_segment_is_said_where_it_begins() -> None:
    job = Made(2)
    job.upload(0)
    other = tuple(evolve(r, init=file(f"{r.quality}-other")) for r in renditions(1))
    job.do(cmd.FinishScene(scene=1, run=1, renditions=other), cmd.FinishSceneUpload(scene=1, run=1, renditions=other))
    maps = parsed(job.text()).segment_map
    assert [each.uri[-4:] for each in maps] == [".mp4", ".mp4"]
    assert maps[0].uri != maps[1].uri


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_job_that_ends_early_ends_its_playlist(end: str) -> None:
    job = Made(3)
    job.upload(0, 2)
    if end == "failed":
        job.fail(1)
    else:
        job.do(cmd.RequestCancellation("no"), cmd.ConfirmCancellation())
    assert job.job is not None
    assert job.job.finished
    assert listed(job.text()) == names([0])
    assert parsed(job.text()).is_endlist


def test_a_listed_scene_that_is_made_again_for_want_of_a_file_stays_listed() -> None:
    job = Made(3)
    job.upload(0, 1)
    before = lines_of(job.text())
    made = renditions(2)
    job.do(cmd.FinishScene(scene=2, run=1, renditions=made))
    key = renditions(0)[0].segments[0].file.key
    job.do(cmd.ReportLostArtefact(step=Step.ASSEMBLE, scene=None, run=1, keys=(key,)))
    assert job.job is not None
    assert job.job.scenes[0].uploaded == ()
    assert lines_of(job.text()) == before
    job.upload(0, take="again")
    job.do(cmd.FinishSceneUpload(scene=2, run=job.job.scenes[2].run, renditions=made))
    assert listed(job.text()) == names([0, 1, 2])
    assert len(job.editions.editions) == 1


def test_reprocessing_begins_a_new_edition() -> None:
    job = Made(2)
    job.upload(0, 1)
    job.publish()
    first = job.text()
    job.do(cmd.RequestReprocess(ReprocessFrom.RENDERING, (1,)))
    assert job.text() == first  # the publication stays served
    old, new = job.editions.editions
    assert (old.number, new.number) == (1, 2)
    assert listed(media_playlist(new, "720p")) == names([0])
    assert not parsed(media_playlist(new, "720p")).is_endlist
    job.upload(1, take="again")
    job.publish()
    assert listed(job.text()) == [*names([0]), *names([1], take="again")]
    assert media_playlist(job.editions.editions[0], "720p") == first
    assert {name for _, name in job.editions.files} >= {uri.rpartition("/")[2] for uri in listed(first)}


def test_uploading_again_is_the_same_edition_from_another_store() -> None:
    job = Made(2)
    job.upload(0, 1, store="fallback")
    job.publish()
    first = job.text()
    assert {file.store for file in job.editions.files.values()} == {"fallback"}
    job.do(cmd.RequestReprocess(ReprocessFrom.UPLOAD))
    assert job.job is not None
    for scene in (0, 1):
        job.do(cmd.FinishSceneUpload(scene=scene, run=job.job.scenes[scene].run, renditions=renditions(scene)))
    assert (job.text(), len(job.editions.editions)) == (first, 1)
    assert {file.store for file in job.editions.files.values()} == {"delivery"}


def test_files_that_have_come_home_are_the_same_lines_from_another_store() -> None:
    job = Made(2)
    job.upload(0, 1, store="fallback")
    job.publish()
    first, keys = job.text(), tuple(file.key for file in job.editions.files.values())
    job.do(cmd.RelocateFiles(keys[:-1]))
    assert job.text() == first
    assert [file.store for file in job.editions.files.values()] == ["delivery"] * (len(keys) - 1) + ["fallback"]


def test_a_failed_job_that_is_reprocessed_gets_a_new_edition() -> None:
    job = Made(3)
    job.upload(0, 2)
    job.fail(1)
    ended = job.text()
    job.do(cmd.RequestReprocess(ReprocessFrom.RENDERING, ()))
    assert job.edition.number == 2
    assert listed(job.text()) == names([0])
    assert not parsed(job.text()).is_endlist
    assert media_playlist(job.editions.editions[0], "720p") == ended
    job.upload(1)
    assert parsed(job.text()).is_endlist


def test_without_streaming_there_is_nothing_to_list() -> None:
    job = Made(1, enable_streaming=False)
    job.do(
        cmd.FinishScene(scene=0, run=1, renditions=renditions(0)), cmd.FinishSceneUpload(scene=0, run=1, renditions=())
    )
    job.publish()
    assert job.edition.scenes == ()


def test_a_rendition_that_a_scene_lacks_ends_its_own_playlist_alone() -> None:
    job = Made(2)
    job.upload(0)
    both = renditions(1)
    job.do(cmd.FinishScene(scene=1, run=1, renditions=both), cmd.FinishSceneUpload(scene=1, run=1, renditions=both[:1]))
    assert (listed(job.text("720p")), listed(job.text("360p"))) == (names([0, 1]), names([0], "360p"))


def test_reused_scenes_are_listed_at_once() -> None:
    job = Made(2)
    job.upload(0, 1)
    job.publish()
    job.do(cmd.RequestReprocess(ReprocessFrom.PLANNING, ()))
    assert job.job is not None
    kept = job.job.reusable
    job.do(cmd.StartPlanning(2), s.announce(2, 2), cmd.ReuseScene(run=2, scene=0, title="", reusable=kept[0]))
    (_, new) = job.editions.editions
    assert listed(media_playlist(new, "720p")) == names([0])
