"""HLS playlists (RFC 8216) of an edition, as text. No I/O: the same edition always gives the same lines.

URIs are relative to `.../jobs/{id}/stream.m3u8` and lead to the app, which redirects each request to a freshly signed
URL, so no line changes or expires. Every URI carries `token`, for players that can't send headers. The path of every
URI ends in the extension of its format: libavformat (7.1.1 and later) opens no others, and other players go by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import ceil
from urllib.parse import quote

from web.readmodel.hls_editions import Edition, ListedRendition, ListedScene

MEDIA_TYPE = "application/vnd.apple.mpegurl"
#: A segment has at most 11 cells, 5.87 s, rounded to the nearest second (RFC 8216, 4.3.3.1). Today's have 9.
TARGET_SECONDS = 6
#: The grid has 16 frames to a cell of 8/15 s.
FRAMES_PER_SECOND = 30.0
#: Start of playback, in seconds: without it players start a growing video near its end. Nearly 0, because Shaka Player
#: and GStreamer ignore 0. In media playlists only: RFC 8216 allows the tag in the master playlist as well, but
#: libavformat takes a master playlist with it for a media playlist, and refuses it.
START_SECONDS = 0.01
#: EXT-X-MAP in playlists of whole segments needs version 6 (RFC 8216, 7); fragmented MP4 is usually played with 7.
_VERSION = 7
_CELL = Fraction(8, 15)
_CAPTIONS = "captions"
_START = f"#EXT-X-START:TIME-OFFSET={START_SECONDS}"


def master_playlist(edition: Edition, languages: Sequence[str] = (), token: str = "") -> str:
    """The renditions of an edition, the lowest bit rate first. `languages` (BCP 47) are those of its captions.

    Bit rates are those of the segments listed so far.
    """
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_VERSION}", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for language in languages:
        uri = _uri(f"stream.m3u8?captions={quote(language)}&edition={edition.number}", token)
        lines.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="{_CAPTIONS}",NAME="{language}",LANGUAGE="{language}",'
            f'DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="{uri}"'
        )
    group = f',SUBTITLES="{_CAPTIONS}"' if languages else ""
    variants = [(_rates(edition, quality), quality) for quality in edition.qualities]
    for (peak, average), name in sorted(variants):
        rendition = next(r for r in edition.scenes[0].renditions if r.quality == name)
        lines.append(_stream_inf(rendition, peak, average) + group)
        lines.append(_uri(f"stream.m3u8?quality={quote(name)}&edition={edition.number}", token))
    return "\n".join(lines) + "\n"


def _stream_inf(rendition: ListedRendition, peak: int, average: int) -> str:
    codecs = f',CODECS="{rendition.codecs}"' if rendition.codecs else ""
    return (
        f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average}{codecs},"
        f"RESOLUTION={rendition.width}x{rendition.height},FRAME-RATE={FRAMES_PER_SECOND:.3f}"
    )


def media_playlist(edition: Edition, quality: str, token: str = "") -> str:
    """The segments of one rendition, as EVENT while the edition grows and as VOD once it has ended.

    Segment times continue from scene to scene. A skipped scene leaves a gap, marked EXT-X-DISCONTINUITY.
    """
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{TARGET_SECONDS}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if edition.ended else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        _START,
    ]
    base, end = f"stream/{quote(quality)}/", _uri("", token)
    init, end_cells = "", None
    for scene, rendition in _in_quality(edition, quality):
        if end_cells not in (None, scene.start_cells):
            lines.append("#EXT-X-DISCONTINUITY")
        end_cells = scene.start_cells + scene.duration_cells
        if init != (init := rendition.init):
            lines.append(f'#EXT-X-MAP:URI="{base}{init}{end}"')
        lines += [f"#EXTINF:{_seconds(part.cells)},\n{base}{part.name}{end}" for part in rendition.segments]
    if edition.ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def captions_playlist(edition: Edition, language: str, token: str = "") -> str:
    """The captions of a whole video, as a playlist of one segment."""
    cells = sum(scene.duration_cells for scene in edition.scenes)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{_VERSION}",
        f"#EXT-X-TARGETDURATION:{ceil(cells * _CELL)}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f"#EXTINF:{_seconds(cells)},",
        _uri(f"captions.vtt?language={quote(language)}", token),
        "#EXT-X-ENDLIST",
    ]
    return "\n".join(lines) + "\n"


def _in_quality(edition: Edition, quality: str) -> Iterator[tuple[ListedScene, ListedRendition]]:
    """The leading scenes that have `quality`."""
    for scene in edition.scenes:
        rendition = next((r for r in scene.renditions if r.quality == quality), None)
        if rendition is None:
            return
        yield scene, rendition


def _rates(edition: Edition, quality: str) -> tuple[int, int]:
    """(peak rate of a segment, average rate of all) in bits per second."""
    segments = [segment for _, rendition in _in_quality(edition, quality) for segment in rendition.segments]
    sizes = [(segment.size_bytes * 8, segment.cells * _CELL) for segment in segments]
    peak = max(bits / seconds for bits, seconds in sizes)
    return ceil(peak), ceil(sum(bits for bits, _ in sizes) / sum(seconds for _, seconds in sizes))


@cache
def _seconds(cells: int) -> str:
    """The duration of `cells` in seconds. Players place segments by the times inside, so rounding doesn't add up."""
    return f"{float(cells * _CELL):.6f}"


def _uri(path: str, token: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}token={token}" if token else path
