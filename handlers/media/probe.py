"""Reads technical facts of a media file by libav."""

from pathlib import Path

import av
from attrs import frozen
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from handlers.media.errors import CorruptMedia


@frozen(kw_only=True)
class VideoInfo:
    """Facts of a video stream: `bit_rate` in bits per second, average `frame_rate` per second; None where unknown."""

    codec: str
    profile: str | None
    width: int
    height: int
    pixel_format: str
    frame_rate: float | None
    frames: int | None
    bit_rate: int | None


@frozen(kw_only=True)
class AudioInfo:
    """Facts of an audio stream: `sample_rate` in Hz, `bit_rate` in bits per second or None."""

    codec: str
    profile: str | None
    sample_rate: int
    channels: int
    bit_rate: int | None


@frozen(kw_only=True)
class MediaInfo:
    """Facts of a file: `duration_s` in seconds; `video` and `audio` are the first streams of their kind, or None."""

    container: str
    duration_s: float
    size_bytes: int
    bit_rate: int | None
    video: VideoInfo | None
    audio: AudioInfo | None


def probe(path: Path) -> MediaInfo:
    """Read the headers of a local file. Blocking. Raises CorruptMedia; FileNotFoundError if it is missing."""
    size = path.stat().st_size
    try:
        # Paths are never taken for URLs: no other protocol is opened.
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.video and not container.streams.audio:
                raise CorruptMedia(f"{path.name} has neither video nor audio")
            duration_s = _duration(container)
            return MediaInfo(
                container=container.format.name.split(",")[0] if container.format.name != _MP4 else "mp4",
                duration_s=duration_s,
                size_bytes=size,
                bit_rate=round(size * 8 / duration_s) if duration_s > 0 else None,
                video=_video(container.streams.video[0]) if container.streams.video else None,
                audio=_audio(container.streams.audio[0]) if container.streams.audio else None,
            )
    except (av.FFmpegError, ValueError) as error:
        raise CorruptMedia(f"{path.name} can't be read: {error}") from error


_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"


def _duration(container: av.container.InputContainer) -> float:
    if container.duration is not None:
        return float(container.duration / av.time_base)
    lengths = [float(s.duration * s.time_base) for s in container.streams if s.duration and s.time_base]
    return max(lengths, default=0.0)


def _video(stream: VideoStream) -> VideoInfo:
    context = stream.codec_context
    return VideoInfo(
        codec=context.name,
        profile=stream.profile,
        width=context.width,
        height=context.height,
        pixel_format=context.pix_fmt or "unknown",
        frame_rate=float(stream.average_rate) if stream.average_rate else None,
        frames=stream.frames or None,
        bit_rate=stream.bit_rate or None,
    )


def _audio(stream: AudioStream) -> AudioInfo:
    context = stream.codec_context
    return AudioInfo(
        codec=context.name,
        profile=stream.profile,
        sample_rate=context.sample_rate,
        channels=context.channels,
        bit_rate=stream.bit_rate or None,
    )
