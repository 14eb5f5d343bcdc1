"""From cues to shots: held pictures and short crossfades on the time grid. Pure.

A shot is one encoded frame. It ends when the picture changes or a segment begins; `x264.SteadyRate` repeats it for
every frame in between.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Final

from attrs import frozen

from handlers.generation.model import Cue
from handlers.generation.time_grid import FRAME_RATE, FRAMES_PER_CELL, TICKS_PER_FRAME, VIDEO_TIMESCALE, segment_cells

#: The picture before the first and after the last reveal: the bare background that all scenes share.
BLANK: Final = -1

#: Lengths of crossfades in frames of 1/30 s: a reveal, the beginning and the end of a scene.

FADE_FRAMES: Final = 7
FADE_IN_FRAMES: Final = 9
FADE_OUT_FRAMES: Final = 7
#: `Shot.mix` at which only the second picture is seen.
FULL_MIX: Final = 256


@frozen(kw_only=True)
class Shot:
    """One encoded frame: `picture`, or a mix of (256 - `mix`)/256 of it and `mix`/256 of `towards`.

    `start` (from the start of the scene) and `duration` in ticks of 1/15360 s.
    """

    start: int
    duration: int
    picture: int
    towards: int | None = None
    mix: int = 0
    keyframe: bool = False

    @property
    def start_s(self) -> float:
        """The start in seconds from the start of the scene."""
        return self.start / VIDEO_TIMESCALE


@frozen
class Timeline:
    """The shots of a scene, without gaps, and the lengths of its segments in cells."""

    shots: tuple[Shot, ...]
    segments: tuple[int, ...]


@frozen(kw_only=True)
class _Span:
    """A picture, or a mix as in `Shot`, on frames `start` to `end` (exclusive)."""

    start: int
    end: int
    picture: int
    towards: int | None = None
    mix: int = 0


def plan_timeline(
    cues: Sequence[Cue],
    duration_cells: int,
    *,
    fades: bool = True,
    moving: Iterable[tuple[float, float]] = (),
    cuts_s: Iterable[float] = (),
) -> Timeline:
    """Plan the shots of a scene of `duration_cells`. Picture n shows reveal step n, picture 0 the page at the start.

    With `fades` the scene fades in from BLANK and out to it, and reveals are crossfades; without, pictures cut hard.
    Cues too late to be seen are dropped. In the spans `moving` (from, to; in seconds) every frame becomes a shot; at
    each of `cuts_s` a shot begins. Raises ValueError when cues are not in order of time.
    """
    segments = segment_cells(duration_cells)
    total = duration_cells * FRAMES_PER_CELL
    bounds = {cells * FRAMES_PER_CELL for cells in accumulate(segments, initial=0)}
    cuts = bounds | {round(at_s * FRAME_RATE) for at_s in cuts_s}
    for start_s, end_s in moving:
        cuts.update(range(max(0, round(start_s * FRAME_RATE)), min(total, round(end_s * FRAME_RATE)) + 1))
    spans = _spans(page_changes(cues, total, fades=fades), total)
    return Timeline(tuple(_shots(spans, bounds, sorted(cuts))), segments)


def page_changes(cues: Sequence[Cue], total: int, *, fades: bool = True) -> list[tuple[int, int, int]]:
    """List (frame, picture shown from there, frames of the crossfade to it) for `total` frames, in order."""
    if any(later.start_s < cue.start_s for cue, later in pairwise(cues)):
        raise ValueError("cues must be in order of time")
    fade = FADE_FRAMES if fades else 1
    found = [(0, 0, FADE_IN_FRAMES if fades else 1)]
    last_start = total - FADE_OUT_FRAMES - 2
    for cue in cues:
        frame = round(cue.start_s * FRAME_RATE)
        if cue.step == found[-1][1] or frame >= last_start:
            continue
        if frame <= found[-1][0]:
            # Two reveals in one frame: the later one wins.
            found[-1] = (found[-1][0], cue.step, found[-1][2])
        else:
            found.append((frame, cue.step, fade))
    if fades and last_start > found[-1][0]:
        found.append((last_start, BLANK, FADE_OUT_FRAMES))
    return found


def _spans(changes: list[tuple[int, int, int]], total: int) -> Iterator[_Span]:
    before = BLANK
    for (start, picture, fade), following in zip(changes, [*changes[1:], None], strict=True):
        end = following[0] if following else total
        length = min(fade, end - start)
        for at in range(length - 1):
            mix = _ease((at + 1) / length)
            yield _Span(start=start + at, end=start + at + 1, picture=before, towards=picture, mix=mix)
        yield _Span(start=start + length - 1, end=end, picture=picture)
        before = picture


def _ease(part: float) -> int:
    """Smoothstep: 0..1 -> 0..FULL_MIX, flat at both ends."""
    return round(FULL_MIX * part * part * (3 - 2 * part))


def _shots(spans: Iterator[_Span], bounds: set[int], cuts: Sequence[int]) -> Iterator[Shot]:
    """Cut spans at `cuts`, frames in order; those in `bounds` begin a segment and get a key frame."""
    for span in spans:
        start = span.start
        while start < span.end:
            following = bisect_right(cuts, start)
            cut = cuts[following] if following < len(cuts) else span.end
            end = min(span.end, cut)
            yield Shot(
                start=start * TICKS_PER_FRAME,
                duration=(end - start) * TICKS_PER_FRAME,
                picture=span.picture,
                towards=span.towards,
                mix=span.mix,
                keyframe=start in bounds,
            )
            start = end
