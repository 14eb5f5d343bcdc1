"""Players and downloaders of other people, as processes that play an HLS stream to its end as fast as they can.

Each is a function of the stream's URL and a folder of its own, and tells how far it came, in seconds, and what it
complained of. What a player says of every stream of this kind, whoever made it, is left out, and said here why.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import av
import imageio_ffmpeg
from attrs import frozen

LONGEST_S = 90.0
#: libavformat reads the init segment again after each look at a playlist that grows.
_READ_TWICE = "Found duplicated MOOV Atom. Skipped it"
#: libavformat before 6 has no subtitles in HLS.
_NO_SUBTITLES = "Can't support the subtitle"
#: streamlink's list of languages has no regions, so that it knows "en" and no "en-US".
_NO_REGIONS = re.compile(r"Unrecognized language for media playlist: language='[a-z]{2,3}-[a-z]{2,4}'")
#: VLC tells wherever a fragment's number isn't the next one, and expects 0 of the first. Numbers have to rise (ISO
#: 14496-12, 8.8.5): where one is lower than was expected, they don't.
_VLC_JUMP = re.compile(r"Fragment sequence discontinuity detected (\d+) != (\d+)")


@frozen
class Played:
    """How far a player came, in seconds, and the lines in which it complained."""

    seconds: float
    complaints: tuple[str, ...] = ()


Play = Callable[[str, Path], Awaitable[Played]]


async def output_of(*command: str | Path, user: str | None = None, home: Path | None = None) -> str:
    """All that the program prints; it has to end well within LONGEST_S."""
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment, user=user
    )
    try:
        out = (await asyncio.wait_for(process.communicate(), LONGEST_S))[0].decode(errors="replace")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}:\n{out[-4_000:]}"
    return out


def length_of(path: Path) -> float:
    """Seconds to the end of the last packet of a recording, from its first one on."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux() if p.pts is not None and p.time_base is not None]
    begin = min(float(p.pts * p.time_base) for p in packets)  # type: ignore[operator]
    return max(float((p.pts + (p.duration or 0)) * p.time_base) for p in packets) - begin  # type: ignore[operator]


def _lines(text: str, *expected: str) -> tuple[str, ...]:
    found = [line.strip() for line in re.split(r"[\r\n]+", text)]
    return tuple(
        line
        for line in found
        if line and not line.startswith("Last message repeated") and not any(each in line for each in expected)
    )


async def _ffmpeg(program: str, url: str, folder: Path, *expected: str) -> Played:
    """All renditions, pictures and sound of each, are decoded."""
    progress = folder / "progress"
    maps = [part for kind in ("v:0", "v:1", "a:0", "a:1") for part in ("-map", f"0:{kind}")]
    out = await output_of(
        *(program, "-nostdin", "-v", "warning", "-i", url, *maps, "-f", "null", "-progress", progress, "-")  # type: ignore[arg-type]
    )
    came_to = re.findall(r"out_time_us=(\d+)", progress.read_text())
    return Played(int(came_to[-1]) / 1e6, _lines(out, *expected))


async def ffmpeg(url: str, folder: Path) -> Played:
    """The ffmpeg of the wheel, a new one."""
    return await _ffmpeg(imageio_ffmpeg.get_ffmpeg_exe(), url, folder, _READ_TWICE)


async def old_ffmpeg(program: str, url: str, folder: Path) -> Played:
    """Debian's ffmpeg 5.1."""
    return await _ffmpeg(program, url, folder, _READ_TWICE, _NO_SUBTITLES)


async def cues_by_ffmpeg(url: str) -> list[str]:
    """The first lines of cues that ffmpeg finds in a stream's first track of captions."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    out = await output_of(program, *("-nostdin", "-v", "warning", "-i", url, "-map", "0:s:0", "-f", "webvtt", "-"))
    return re.findall(r"-->.*\n(.*)", out)


_PYAV = """
import sys, av, av.logging
av.logging.set_level(av.logging.WARNING)
end = 0.0
with av.logging.Capture(local=False) as said, av.open(sys.argv[1]) as container:
    kinds = sorted(stream.type for stream in container.streams if stream.type != "subtitle")
    assert kinds == ["audio", "audio", "video", "video"], kinds
    for packet in container.demux():
        for frame in packet.decode() if packet.stream.type != "subtitle" else ():
            end = max(end, frame.time)
print(end)
print(*(text.strip() for *_, text in said), sep="\\n")
"""


async def pyav(url: str, _: Path) -> Played:
    """The libavformat of PyAV's wheel, in a process of its own: what it logs belongs to nobody else."""
    out = await output_of(sys.executable, "-c", _PYAV, url)
    seconds, *said = out.splitlines()
    return Played(float(seconds), _lines("\n".join(said), _READ_TWICE))


async def streamlink(url: str, folder: Path) -> Played:
    path = folder / "streamlink.mp4"
    out = await output_of(
        *(sys.executable, "-m", "streamlink", "--no-config", "--loglevel", "warning", "-o", path, url, "best")
    )
    return Played(length_of(path), tuple(line for line in _lines(out) if not _NO_REGIONS.search(line)))


async def yt_dlp(url: str, folder: Path) -> Played:
    """With its captions. A stream that grows is handed to ffmpeg."""
    path = folder / "video.mp4"
    program = imageio_ffmpeg.get_ffmpeg_exe()
    options = ("--ignore-config", "--no-progress", "--write-subs", "--sub-langs", "all", "--ffmpeg-location", program)
    out = await output_of(sys.executable, "-m", "yt_dlp", *options, "-o", path, url)
    said = [line for line in _lines(out) if line.startswith(("WARNING", "ERROR"))]
    return Played(length_of(path), tuple(line for line in said if "ffprobe not found" not in line))


async def mpv(program: str, url: str, folder: Path) -> Played:
    """The sound is written to a file. It takes sound that is ahead of the pictures, as nobody listens, for trouble."""
    sound = folder / "sound.wav"
    hurry = ("--vo=null", "--untimed", "--ao=pcm", f"--ao-pcm-file={sound}")
    out = await output_of(program, "--no-config", "--msg-level=all=warn,cplayer=error", *hurry, url)
    return Played(length_of(sound), _lines(out, _READ_TWICE, _NO_SUBTITLES))


async def vlc(program: str, url: str, folder: Path) -> Played:
    """What it demultiplexes goes to a file. It won't run as root; others may write into the folder then."""
    path, root = folder / "vlc.ts", os.geteuid() == 0
    if root:
        folder.chmod(0o777)
    output = f"#std{{access=file,mux=ts,dst={path}}}"
    out = await output_of(
        *(program, "-I", "dummy", "--no-plugins-cache", "-v", "--sout", output, url, "vlc://quit"),
        user="nobody" if root else None,
        home=folder,
    )
    back = [found.group() for found in _VLC_JUMP.finditer(out) if int(found[1]) < int(found[2])]
    return Played(length_of(path), tuple(back))


async def gstreamer(program: str, url: str, _: Path) -> Played:
    """Each buffer that reaches the sinks is told."""
    sink = "fakesink sync=false silent=false"
    sinks = (f"video-sink={sink}", f"audio-sink={sink}", f"text-sink={sink}")
    out = await output_of(program, "-v", "playbin", f"uri={url}", *sinks)
    times = re.findall(r"chain .*? pts: (\d+):(\d+):([\d.]+), duration: (\d+):(\d+):([\d.]+)", out)
    seconds = [float(h) * 3600 + float(m) * 60 + float(s) + float(ds) for h, m, s, _, _, ds in times]
    return Played(max(seconds), tuple(line for line in _lines(out) if line.startswith(("WARNING", "ERROR"))))


#: What comes with wheels.
OF_WHEELS: dict[str, Play] = {"ffmpeg": ffmpeg, "PyAV": pyav, "streamlink": streamlink, "yt-dlp": yt_dlp}
