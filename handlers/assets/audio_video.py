"""Re-encodes uploaded clips and sound in the sandbox, to the formats of the engine."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from attrs import frozen

from eventflow.assets.errors import BrokenMedia, MediaTooLarge, UnsupportedMedia
from eventflow.domain.values import Kind
from handlers.assets import colours, probe_worker, sandbox
from handlers.assets.sniff import Format
from handlers.media.codecs import FRAME_RATE, SAMPLE_RATE
from handlers.media.errors import CorruptMedia
from handlers.media.probe import probe

MAX_CLIP_S, MAX_AUDIO_S = 120, 20 * 60
#: Most pixels of a clip, checked before it is decoded: 4K.
MAX_CLIP_PIXELS = 4096 * 2304
#: A file is truncated if it is shorter than its header says by more than this (seconds, share).
_MISSING_S, _MISSING_PART = 1.0, 0.02
_PROBE_LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=20, wall_s=40, file_bytes=0)
_LIMITS = sandbox.Limits(memory_bytes=2 << 30, cpu_s=900, wall_s=600, file_bytes=600_000_000)
_PROBE = Path(probe_worker.__file__)
_FILM = ("h264", "hevc", "mpeg4", "mjpeg", "prores", "vp8", "vp9", "av1")
_PCM = ("pcm_u8", *(f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32") for end in ("le", "be")))
_SOUND = (
    "aac",
    "mp3",
    "vorbis",
    "opus",
    "flac",
    "alac",
    "ac3",
    "eac3",
    "mp2",
    "wmav1",
    "wmav2",
    "pcm_alaw",
    "pcm_mulaw",
    *_PCM,
)
#: The only decoders that may be opened; the last ones are alternatives for the same codecs.
_CODECS = ",".join((*_FILM, *_SOUND, "libdav1d", "libvpx", "libvpx-vp9", "mp3float", "libvorbis", "libopus"))
#: The scale that fits into 1920x1080 or 1080x1920 with square pixels, never enlarging; sizes are even.
_BOX = "min(1,min(1920/max(iw*sar,ih),1080/min(iw*sar,ih)))"
_SCALE = f"scale=w='max(2,2*trunc(iw*sar*{_BOX}/2))':h='max(2,2*trunc(ih*{_BOX}/2))'"
_TO_YUV = "scale=out_color_matrix=bt709:out_range=tv"
#: Full RGB of 10 bits, which `lut3d` takes.
_RGB = "format=gbrp10le"
_STEADY_RATE = f"fps={FRAME_RATE}:start_time=0"
_STORED = "format=yuv420p,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
_PICTURES = f"{_SCALE}:{_TO_YUV.partition('=')[2]},setsar=1,{_STEADY_RATE},{_STORED}"
_COLOURS = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")
#: Audio starts with the video; gaps become silence.
_STEADY = f"aresample={SAMPLE_RATE}:async=1:first_pts=0,aformat=channel_layouts=stereo"


@frozen(kw_only=True)
class Recording:
    """A re-encoded clip or sound. Sizes in pixels, None for sound."""

    kind: Kind
    path: Path
    media_type: str
    suffix: str
    duration_s: float
    width: int | None = None
    height: int | None = None


async def examine(upload: Path, form: Format) -> dict[str, Any]:
    """Read the facts in the file's headers by `probe_worker` in the sandbox. Raises BrokenMedia."""
    command = (sys.executable, "-I", str(_PROBE), form.decoder, _CODECS)
    with upload.open("rb") as source:
        try:
            ended = await sandbox.run(command, _PROBE_LIMITS, source=source)
        except sandbox.SandboxTimeout as error:
            raise BrokenMedia("the file can't be read: its headers take too long") from error
    if ended.code != 0:
        why = ended.err if ended.code == probe_worker.BROKEN else "it needs too much memory or time"
        raise BrokenMedia(f"the file can't be read: {why}")
    facts: dict[str, Any] = json.loads(ended.out)
    return facts


def kind_of(facts: dict[str, Any], form: Format) -> Kind:
    """Decide by its streams what a file is, and check limits. Raises BrokenMedia, UnsupportedMedia, MediaTooLarge."""
    pictures, sound, seconds = facts["pictures"], facts["sound"], facts["seconds"] or 0.0
    if sound is not None and sound["codec"] not in _SOUND:
        raise UnsupportedMedia(
            f"unknown audio codec {sound['codec']}", accepted="AAC, MP3, Opus, Vorbis, FLAC, PCM, AC-3, WMA"
        )
    if form.kind == "clip" and pictures is not None:
        if pictures["codec"] not in _FILM:
            raise UnsupportedMedia(f"unknown video codec {pictures['codec']}", accepted="H.264, HEVC, AV1, VP8, VP9")
        if pictures["width"] * pictures["height"] > MAX_CLIP_PIXELS:
            raise MediaTooLarge(
                f"the clip has {pictures['width']}x{pictures['height']} pixels: at most 4096x2304 are accepted"
            )
        _check_length("clip", seconds)
        return "clip"
    if sound is None:
        raise BrokenMedia("the file has neither video nor audio")
    _check_length("audio", seconds)
    return "audio"


def _check_length(kind: Kind, seconds: float) -> None:
    most, what = (MAX_CLIP_S, "clip") if kind == "clip" else (MAX_AUDIO_S, "sound")
    if seconds > most + 0.1:
        raise MediaTooLarge(f"the {what} lasts {seconds:.0f} s: at most {most} s are accepted, cut it")


async def normalise(upload: Path, form: Format, facts: dict[str, Any], folder: Path) -> Recording:
    """Re-encode into `folder`: H.264 yuv420p at 30 frames per second with AAC in MP4, or FLAC (decision 94).

    Clips without audio stay without. Raises BrokenMedia, UnsupportedMedia, MediaTooLarge.
    """
    kind = kind_of(facts, form)
    path = folder / "recording"
    table = await _colour_table(facts, folder) if kind == "clip" else None
    command = _command(form, facts, kind, table)
    with upload.open("rb") as source, path.open("w+b") as target:
        try:
            ended = await sandbox.run(
                command, _LIMITS, source=source, target=target, readable=(table,) if table else ()
            )
        except sandbox.SandboxTimeout as error:
            raise MediaTooLarge(f"the {kind} takes too long to decode: make it smaller or shorter") from error
    if os.strerror(errno.ENOSPC) in ended.err:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if ended.code != 0:
        raise BrokenMedia(f"the {kind} can't be decoded to its end: {_first_line(ended.err)}")
    made = _facts_of(path, kind)
    _check_length(kind, made.duration_s)
    _check_complete(made, facts["seconds"], form)
    return made


async def _colour_table(facts: dict[str, Any], folder: Path) -> Path | None:
    """Write the table that turns the clip's colours into those of a screen; None where they are that already."""
    meant = colours.colours_of(facts["pictures"]["primaries"], facts["pictures"]["transfer"])
    if meant == colours.Colours():
        return None
    path = folder / "colours.cube"
    await asyncio.to_thread(colours.write_table, path, meant)
    return path


def _filters(table: Path | None) -> str:
    """Return the filters of a clip's pictures; `table` converts their colours, of the fewest pixels possible."""
    if table is None:
        return _PICTURES
    return f"{_STEADY_RATE},{_SCALE},setsar=1,{_RGB},lut3d=file={_quoted(table)},{_TO_YUV},{_STORED}"


def _quoted(path: Path) -> str:
    """Return a path as an option's value in a list of filters, which is unescaped twice."""
    once = re.sub(r"[\\':]", r"\\\g<0>", str(path))
    return re.sub(r"[\\'\[\],;]", r"\\\g<0>", once)


def _ffmpeg() -> str:
    """Return ffmpeg's absolute path; a variable of imageio-ffmpeg may name another program."""
    found = imageio_ffmpeg.get_ffmpeg_exe()
    return str(Path(shutil.which(found) or found).absolute())


def _command(form: Format, facts: dict[str, Any], kind: Kind, table: Path | None) -> tuple[str, ...]:
    """Return the ffmpeg command from standard input to standard output: it opens no files and no other protocol."""
    common = ("-hide_banner", "-nostats", "-loglevel", "error", "-nostdin", "-xerror", "-max_alloc", str(256 << 20))
    guarded = ("-protocol_whitelist", "fd", "-format_whitelist", form.decoder, "-codec_whitelist", _CODECS)
    decode = ("-max_pixels", str(MAX_CLIP_PIXELS), "-threads", "2", "-f", form.decoder, "-i", "fd:")
    bare = ("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-fflags", "+bitexact")
    program = (_ffmpeg(), *common, *guarded, *decode, *bare)
    if kind == "audio":
        whole = ("-map", "0:a:0", "-af", _STEADY, "-c:a", "flac", "-sample_fmt", "s16", "-flags:a", "+bitexact")
        return (*program, *whole, "-t", str(MAX_AUDIO_S + 1), "-f", "flac", "fd:")
    pictures = ("-map", f"0:{facts['pictures']['index']}", "-vf", _filters(table), "-filter_threads", "1", *_COLOURS)
    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-g", str(FRAME_RATE), "-bf", "0", "-threads", "2")
    # as long as the video: padded with silence, or cut
    padded = ("-map", "0:a:0", "-af", f"{_STEADY},apad", "-shortest", "-c:a", "aac", "-b:a", "192k")
    exact = ("-flags:v", "+bitexact", "-flags:a", "+bitexact")
    end = ("-t", str(MAX_CLIP_S + 1), "-f", "mp4", "fd:")
    return (*program, *pictures, *x264, *(padded if facts["sound"] else ()), *exact, *end)


def _facts_of(path: Path, kind: Kind) -> Recording:
    """Probe the result, outside of the sandbox since our encoder wrote it. Raises BrokenMedia."""
    try:
        info = probe(path)
    except CorruptMedia as error:
        raise BrokenMedia(f"nothing of the {kind} can be decoded") from error
    if kind == "audio" and info.audio and info.duration_s > 0:
        return Recording(kind="audio", path=path, media_type="audio/flac", suffix=".flac", duration_s=info.duration_s)
    if kind == "clip" and info.video and info.video.frames:
        seconds = info.video.frames / FRAME_RATE
        return Recording(
            kind="clip",
            path=path,
            media_type="video/mp4",
            suffix=".mp4",
            duration_s=seconds,
            width=info.video.width,
            height=info.video.height,
        )
    raise BrokenMedia(f"nothing of the {kind} can be decoded")


def _check_complete(made: Recording, promised_s: float | None, form: Format) -> None:
    """Check that the file isn't truncated, except MP3 and AAC, whose duration libav only guesses."""
    if promised_s is None or form.decoder in ("mp3", "aac"):
        return
    if made.duration_s < promised_s - max(_MISSING_S, promised_s * _MISSING_PART):
        raise BrokenMedia(f"the {made.kind} is truncated: {made.duration_s:.1f} of {promised_s:.1f} s are there")


def _first_line(text: str) -> str:
    """Return libav's first error message, without memory addresses."""
    lines = [line.rpartition("] ")[2].strip() for line in text.splitlines() if line.strip()]
    return lines[0][:200] if lines else "it needs too much memory or time"
