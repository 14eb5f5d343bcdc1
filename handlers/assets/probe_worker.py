"""Reads the headers of a clip or sound file; a program for the sandbox, where it can import only PyAV.

`python -I probe_worker.py DEMUXER CODECS` reads standard input and writes one JSON object: `pictures` (codec, width,
height, index, and the numbers of its primaries and transfer in ITU-T H.273) or null, `sound` (codec) or null, `seconds`
or null. Cover pictures of songs don't count.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import av
from av.stream import Disposition

BROKEN = 3


def main(demuxer: str, codecs: str) -> int:
    options = {"format_whitelist": demuxer, "codec_whitelist": codecs, "protocol_whitelist": "none"}
    try:
        with av.open(sys.stdin.buffer, format=demuxer, options=options) as container:
            sys.stdout.write(json.dumps(_facts(container)))
    except Exception as error:  # demuxers raise any exception; all mean the same
        sys.stderr.write(str(getattr(error, "strerror", None) or error)[:300])
        return BROKEN
    return 0


def _facts(container: Any) -> dict[str, Any]:
    films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    sounds = container.streams.audio
    return {
        "pictures": _pictures(films[0]) if films else None,
        "sound": {"codec": _codec(sounds[0])} if sounds else None,
        "seconds": float(container.duration / av.time_base) if container.duration else None,
    }


def _pictures(stream: Any) -> dict[str, Any]:
    context = stream.codec_context
    size = (context.width, context.height) if context else (0, 0)
    colours = (context.color_primaries, context.color_trc) if context else (2, 2)
    return {
        "codec": _codec(stream),
        "width": size[0],
        "height": size[1],
        "index": stream.index,
        "primaries": int(colours[0]),
        "transfer": int(colours[1]),
    }


def _codec(stream: Any) -> str:
    context = stream.codec_context
    return context.codec.canonical_name if context else "unknown"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
