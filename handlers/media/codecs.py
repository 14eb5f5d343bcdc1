"""What players are told of a file's codecs before they fetch it (RFC 6381, as HLS's CODECS has it)."""

from __future__ import annotations

from pathlib import Path

import av


def codecs_of(path: Path) -> str:
    """The codecs of an MP4 or of an init segment, such as "avc1.640028,mp4a.40.2"; empty where they can't be told.

    H.264: profile, constraints and level as in its configuration record (ISO/IEC 14496-15). AAC: the object type of
    its AudioSpecificConfig (ISO/IEC 14496-3). Blocks.
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


FRAME_RATE = 30
SAMPLE_RATE = 48_000
