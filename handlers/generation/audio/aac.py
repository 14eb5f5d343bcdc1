"""AAC: of a scene, encoded once and joinable without a gap; and of a finished video, extracted without re-encoding.

AAC of a scene: encoded once, muxed into every rendition, joinable without a gap.

The sound of a finished video as a file of its own. Packets are copied, nothing is encoded again.

AAC at a constant bit rate: fill elements behind what is heard (ISO/IEC 14496-3, 4.4.1.1 and 4.5.2.9). Pure.

libav's encoder spends what it needs, and next to nothing on silence. Where videos are published, one service asks for
128 kbit/s at least and another one for that at most.
"""

import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

from handlers.generation.errors import CorruptArtefact, EncodeError
from handlers.generation.time_grid import AAC_FRAME_SAMPLES, AAC_FRAMES_PER_CELL, SAMPLE_RATE, SAMPLES_PER_CELL
from handlers.media.errors import CorruptMedia
from handlers.media.probe import MediaInfo, probe

#: Length and values of id_syn_ele (table 4.85).
_ID_BITS: Final = 3
_FILL, _END = 0b110, 0b111
#: The length of a fill element in bytes: four bits, or all of these set and eight more.
_COUNT_BITS, _MORE_BITS = 4, 8
_MOST_SHORT: Final = (1 << _COUNT_BITS) - 2
_MOST: Final = _MOST_SHORT + (1 << _MORE_BITS) - 1
_SHORT_HEAD: Final = _ID_BITS + _COUNT_BITS
_LONG_HEAD: Final = _SHORT_HEAD + _MORE_BITS


def padded_to_rate(packets: Sequence[bytes], bit_rate: int) -> list[bytes] | None:
    """Pad `packets` (raw data blocks) to `bit_rate` in bits per second on average; None where they exceed it.

    A packet larger than its share is compensated by less padding in the following ones.
    """
    made, written = list[bytes](), 0
    for number, packet in enumerate(packets, start=1):
        due = number * AAC_FRAME_SAMPLES * bit_rate // (8 * SAMPLE_RATE)
        made.append(padded(packet, due - written))
        written += len(made[-1])
    return made if written <= due else None


def padded(packet: bytes, size: int) -> bytes:
    """Pad a raw data block to `size` bytes by fill elements, which decoders skip; larger blocks stay as they are.

    A block ends with the three set bits of ID_END and up to seven zero bits.
    """
    if size <= len(packet):
        return packet
    tail = int.from_bytes(packet[-2:], "big")
    unused = (tail & -tail).bit_length() - 1
    bits = tail >> (unused + _ID_BITS)
    left = 8 * (size - len(packet)) + unused
    while left >= 8:
        count = (left - _SHORT_HEAD) // 8
        if count <= _MOST_SHORT:
            head, length = _FILL << _COUNT_BITS | count, _SHORT_HEAD
        else:
            count = min(_MOST, (left - _LONG_HEAD) // 8)
            head, length = (_FILL << _COUNT_BITS | _MOST_SHORT + 1) << _MORE_BITS | count - _MOST_SHORT, _LONG_HEAD
        bits = (bits << length | head) << 8 * count
        left -= length + 8 * count
    bits = (bits << _ID_BITS | _END) << left
    return packet[:-2] + bits.to_bytes(size - len(packet) + 2, "big")


AUDIO_BASE = Fraction(1, SAMPLE_RATE)

#: AAC frames before and after a scene that are encoded with it and then dropped: two cover the overlap of the MDCT,
#: four the encoder's look-ahead too.
CONTEXT_FRAMES: Final = 4
CONTEXT_SAMPLES: Final = CONTEXT_FRAMES * AAC_FRAME_SAMPLES

#: Measured on speech at 128 kbit/s: the fast coder takes a third of the default's time and is closer to the original
#: (44 dB against 26 dB signal to noise).
_CODER = {"aac_coder": "fast"}


#: Shares of the bit rate to aim the encoder at, tried in turn: it overshoots by up to a quarter on dense sound; what
#: it leaves is padding. With the first, speech takes 110 of 128 kbit/s.
_SHARES: Final = (0.875, 0.75, 0.5, 0.25)


def encode_sound(wav: Path | None, duration_cells: int, bit_rate: int) -> list[bytes]:
    """Encode AAC-LC stereo at a constant `bit_rate` (bits per second): exactly 25 packets per cell.

    `wav`: 48 kHz mono or stereo s16, at most as long as the scene; None is silence. Sound that continues across the
    joins comes in a file that is CONTEXT_SAMPLES longer at both ends, with the sound before and after the scene;
    otherwise the context is silence. Packets of the context and the priming packet (pts -1024) are dropped: the rest
    stands for the samples of the scene alone, and scenes join sample-exactly (decision 98). Raises EncodeError.
    """
    for share in _SHARES:
        if (made := padded_to_rate(_encoded(wav, duration_cells, round(bit_rate * share)), bit_rate)) is not None:
            return made
    raise EncodeError(f"the AAC encoder exceeds {bit_rate} bits per second at every setting")


def _encoded(wav: Path | None, duration_cells: int, bit_rate: int) -> list[bytes]:
    """Encode a scene without padding; `bit_rate` is the encoder's target."""
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
    """Set up an encoder, or a stream that carries its packets. Raises EncodeError without an AAC encoder."""
    if not isinstance(context, av.AudioCodecContext):
        raise EncodeError("this build of libav has no AAC encoder")
    context.sample_rate, context.layout, context.format = SAMPLE_RATE, "stereo", "fltp"
    context.bit_rate, context.time_base = bit_rate, AUDIO_BASE


def _read(wav: Path | None, duration_cells: int) -> Iterator[NDArray[np.float32]]:
    """Yield blocks of 2 x 1024 float32 in -1..1 without end, the context before the scene first."""
    silence = np.zeros((2, AAC_FRAME_SAMPLES), np.float32)
    if wav is not None:
        with wave.open(str(wav), "rb") as file:
            channels = file.getnchannels()
            if (file.getframerate(), file.getsampwidth()) != (SAMPLE_RATE, 2) or channels not in (1, 2):
                raise EncodeError(f"{wav.name} is not a 48 kHz 16-bit WAV file with one or two channels")
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


#: Joined sound is exact to the sample; containers round to their timescale and AAC to frames of 21 ms.
_TOLERANCE_S: Final = 0.03
_OPTIONS: Final = {"movflags": "faststart", "use_editlist": "0", "avoid_negative_ts": "disabled", "fflags": "bitexact"}


def extract_sound(video: Path, target: Path, duration_s: float) -> MediaInfo:
    """Copy the AAC of `video`, which lasts `duration_s`, into `target` (.m4a, index in front). Blocking.

    Raises EncodeError, and CorruptArtefact where the result doesn't last as long as the video.
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
