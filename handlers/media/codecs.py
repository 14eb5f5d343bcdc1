"""Codecs of a file in the form of RFC 6381, as in HLS's CODECS, and the rates of re-encoded uploads."""

from __future__ import annotations

from pathlib import Path

import av


def codecs_of(path: Path) -> str:
    """Name the codecs of an MP4 or init segment, such as "avc1.640028,mp4a.40.2"; empty where they are unknown.

    H.264: profile, constraints and level as in its configuration record (ISO/IEC 14496-15). AAC: the object type of
    its AudioSpecificConfig (ISO/IEC 14496-3). Blocking.
    """
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}) as container:
            names = [_name(stream.codec_context) for stream in (*container.streams.video, *container.streams.audio)]
    except av.FFmpegError:
        return ""
    return ",".join(names) if names and all(names) else ""


def _name(codec: av.CodecContext) -> str:
    config = codec.extradata or b""
    if codec.name == "h264" and len(config) >= 4 and config[0] == 1:
        return f"avc1.{config[1:4].hex()}"
    if codec.name == "aac" and config:
        return f"mp4a.40.{config[0] >> 3}"
    return ""


#: Frames per second and samples per second of re-encoded uploads: those of the time grid.
FRAME_RATE = 30
SAMPLE_RATE = 48_000
