"""AAC: of a scene, encoded once and joinable without a gap; and of a finished video, extracted without re-encoding.

AAC of a scene: encoded once, muxed into every rendition, joinable without a gap.

The sound of a finished video as a file of its own. Packets are copied, nothing is encoded again.
"""

import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from handlers.generation.audio.aac_padding import at_constant_rate
from handlers.generation.errors import CorruptArtefact, EncodeError
from handlers.generation.time_grid import AAC_FRAME_SAMPLES, AAC_FRAMES_PER_CELL, SAMPLE_RATE, SAMPLES_PER_CELL
from handlers.media.errors import CorruptMedia
from handlers.media.probe import MediaInfo, probe

AUDIO_BASE = Fraction(1, SAMPLE_RATE)

#: Frames of what is heard before and after a scene that are encoded with it and dropped again: two would do for
#: the overlap, the encoder's look-ahead wants more.
CONTEXT_FRAMES: Final = 4
CONTEXT_SAMPLES: Final = CONTEXT_FRAMES * AAC_FRAME_SAMPLES

#: On speech at 128 kbit/s the fast coder takes a third of the time of the default and comes closer to the
#: original (44 dB against 26 dB).
_CODER = {"aac_coder": "fast"}


#: Parts of a bit rate that the encoder is told to keep to, one after the other: it needs up to a quarter more where
#: much is heard, and is filled up where it needs less. Speech takes 110 of 128 kbit/s at the first.
_SHARES: Final = (0.875, 0.75, 0.5, 0.25)


def encode_sound(wav: Path | None, duration_cells: int, bit_rate: int) -> list[bytes]:
    """AAC-LC stereo at a constant `bit_rate`: exactly 25 packets a cell. `wav`: 48 kHz mono or stereo s16; None is
    silence.

    Sound that goes on across the joins comes in a file that is longer than the scene by CONTEXT_SAMPLES at both ends:
    what is heard before and after it. Where the file is as long as the scene or shorter, that is silence. The packets
    of the context are dropped, and the priming one (pts -1024): those that are left stand for the samples of the
    scene alone, and scenes join sample-exactly. Raises EncodeError.
    """
    for share in _SHARES:
        if (made := at_constant_rate(_encoded(wav, duration_cells, round(bit_rate * share)), bit_rate)) is not None:
            return made
    raise EncodeError(f"the AAC encoder doesn't keep to {bit_rate} bits per second")


def _encoded(wav: Path | None, duration_cells: int, bit_rate: int) -> list[bytes]:
    """The packets of a scene; `bit_rate` is what the encoder aims at."""
    encoder = av.CodecContext.create("aac", "w")
    configure(encoder, bit_rate)
    encoder.options = dict(_CODER)
    encoder.flags |= Flags.global_header
    packets: list[bytes] = []
    samples = _read(wav, duration_cells)
    wanted = duration_cells * AAC_FRAMES_PER_CELL
    count = wanted + 2 * CONTEXT_FRAMES
    for number in range(count):
        frame = av.AudioFrame.from_ndarray(next(samples), format="fltp", layout="stereo")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, AUDIO_BASE
        frame.pts = number * AAC_FRAME_SAMPLES
        packets += map(bytes, encoder.encode(frame))
    packets += map(bytes, encoder.encode(None))
    if len(packets) != count + 1:
        raise EncodeError(f"{len(packets)} AAC packets for {duration_cells} cells")
    first = 1 + CONTEXT_FRAMES
    return packets[first : first + wanted]


def configure(context: av.CodecContext, bit_rate: int) -> None:
    """The same settings for the encoder and for the streams that only carry its packets."""
    if not isinstance(context, av.AudioCodecContext):
        raise EncodeError("this build of libav has no AAC encoder")
    context.sample_rate, context.layout, context.format = SAMPLE_RATE, "stereo", "fltp"
    context.bit_rate, context.time_base = bit_rate, AUDIO_BASE


def _read(wav: Path | None, duration_cells: int) -> Iterator[NDArray[np.float32]]:
    """Blocks of one AAC frame, the context before the scene first: 2 x 1024 float32 in -1..1, without end."""
    silence = np.zeros((2, AAC_FRAME_SAMPLES), np.float32)
    if wav is not None:
        with wave.open(str(wav), "rb") as file:
            channels = file.getnchannels()
            if (file.getframerate(), file.getsampwidth()) != (SAMPLE_RATE, 2) or channels not in (1, 2):
                raise EncodeError(f"{wav.name} is not 48 kHz 16-bit sound")
            length = duration_cells * SAMPLES_PER_CELL
            with_context = file.getnframes() == length + 2 * CONTEXT_SAMPLES
            if file.getnframes() > length and not with_context:
                raise EncodeError(f"{wav.name} is longer than its scene")
            for _ in range(0 if with_context else CONTEXT_FRAMES):
                yield silence
            while data := file.readframes(AAC_FRAME_SAMPLES):
                block = np.frombuffer(data, "<i2").reshape(-1, channels).T.astype(np.float32) / 32768
                whole = silence.copy()
                whole[:, : block.shape[1]] = block
                yield whole
    while True:
        yield silence


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
