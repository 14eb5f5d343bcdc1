"""The sound of a finished video as a file of its own. Packets are copied, nothing is encoded again."""

from pathlib import Path
from typing import Final

import av

from handlers.generation.errors import CorruptArtefact, EncodeError
from handlers.media.probe import CorruptMedia, MediaInfo, probe

#: Joined sound is exact; containers round to their timescale.
_TOLERANCE_S: Final = 0.03
_OPTIONS: Final = {"movflags": "faststart", "use_editlist": "0", "avoid_negative_ts": "disabled", "fflags": "bitexact"}


def extract_sound(video: Path, target: Path, duration_s: float) -> MediaInfo:
    """Write the AAC of `video`, which lasts `duration_s`, into `target` (.m4a), its index in front. Blocking.

    Raises EncodeError, CorruptArtefact where the result isn't the sound of all of it.
    """
    try:
        with av.open(str(video)) as given, av.open(str(target), "w", format="ipod", options=dict(_OPTIONS)) as made:
            stream = made.add_stream_from_template(given.streams.audio[0])
            for packet in given.demux(given.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    made.mux(packet)
        info = probe(target)
    except (av.FFmpegError, IndexError) as error:
        raise EncodeError(f"{target.name}: {error}") from error
    except CorruptMedia as error:
        raise CorruptArtefact(str(error)) from error
    if info.audio is None or info.video is not None or abs(info.duration_s - duration_s) > _TOLERANCE_S:
        raise CorruptArtefact(f"{target.name} lasts {info.duration_s:.3f} s, the video {duration_s:.3f} s")
    return info
