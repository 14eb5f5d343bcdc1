"""Decodes answers of speech services by their first bytes: WAV, FLAC, Ogg, MP3, ADTS, else raw PCM.

The media type alone makes nothing a file of a format; it tells the rate and the channels of PCM.
"""

import io
import re
from collections.abc import Callable, Iterable
from typing import Final

import av
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from handlers.generation.audio.pcm import Samples
from handlers.generation.narration.narrators.wav_files import BadSound, is_wav, wav_parts
from handlers.media.decode import resampled

__all__ = ["PCM_RATE", "BadSound", "Sound", "read_sound"]

#: Sample rate of OpenAI's `pcm` in Hz.
PCM_RATE: Final = 24_000
_RATES: Final = range(8_000, 192_001)
_CHANNELS: Final = range(1, 9)
#: Kinds of bytes that have no header and are samples where those were asked for.
_BARE: Final = frozenset(
    ("", "application/octet-stream", "binary/octet-stream", "audio/wav", "audio/x-wav", "audio/wave")
)
_PCM: Final = frozenset(("audio/pcm", "audio/l16", "audio/x-pcm", "audio/raw", "audio/x-raw", "audio/x-l16"))
_BIT_RATES: Final = {  # kbit/s of layer III, by the version's bit
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    0: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


@frozen(kw_only=True)
class Sound:
    """The bytes of an answer. `media_type` and `told_rate` are from its headers, "" where they are absent.

    `asked` is the format that was asked for; `usual_rate` that of PCM whose rate isn't told, in Hz.
    """

    data: bytes
    media_type: str = ""
    told_rate: str = ""
    asked: str = "wav"
    usual_rate: int = PCM_RATE


def read_sound(sound: Sound) -> tuple[Samples, int]:
    """Decode a sound: (int16 mono samples, rate in Hz). Raises BadSound."""
    data = sound.data
    if is_wav(data):
        return _joined([_decoded(part.file, "wav", "pcm_") for part in wav_parts(data)])
    if data.startswith(b"fLaC"):
        return _decoded(data, "flac", "flac")
    if data.startswith(b"OggS"):
        return _decoded(data, "ogg", "")
    if data.startswith(b"ID3") or _are_frames(data, _mp3_frame_bytes):
        return _decoded(data, "mp3", "mp3")
    if _are_frames(data, _adts_frame_bytes):
        return _decoded(data, "aac", "aac")
    return _pcm(sound)


def _pcm(sound: Sound) -> tuple[Samples, int]:
    """Read s16 samples, little-endian, of the rate and the channels that headers tell."""
    kind, _, parameters = sound.media_type.lower().partition(";")
    kind = kind.strip()
    if kind not in _PCM and not (sound.asked == "pcm" and kind in _BARE):
        shown = kind[:40] or "no media type"
        raise BadSound(f"neither WAV nor PCM, FLAC, MP3, Ogg or AAC ({shown}, {len(sound.data)} bytes)")
    rate = int(
        _number(r"\brate=(\d{4,6})\b", parameters) or _number(r"^\s*(\d{4,6})\s*$", sound.told_rate) or sound.usual_rate
    )
    channels = int(_number(r"\bchannels=(\d{1,2})\b", parameters) or 1)
    if rate not in _RATES or channels not in _CHANNELS or len(sound.data) < 2 * channels:
        raise BadSound("PCM without samples, or with a rate outside of 8 to 192 kHz")
    samples = _frames(sound.data, "<i2", channels)
    if kind in ("audio/l16", "audio/x-l16"):  # big-endian by RFC 2586, but not where Gemini speaks
        other = _frames(sound.data, ">i2", channels)
        samples = other if _roughness(other) < _roughness(samples) else samples
    if channels > 1:
        samples = samples.astype(np.int32).mean(axis=1, keepdims=True)
    return samples[:, 0].astype(np.int16), rate


def _frames(data: bytes, kind: str, channels: int) -> NDArray[np.int16]:
    whole = len(data) // (2 * channels) * 2 * channels
    return np.frombuffer(data[:whole], kind).reshape(-1, channels)


def _roughness(samples: NDArray[np.int16]) -> float:
    """The mean step from sample to sample: far greater where the bytes of samples are swapped."""
    return float(np.abs(np.diff(samples.astype(np.int32), axis=0)).mean()) if len(samples) > 1 else 0.0


def _number(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text[:200])
    return match[1] if match else None


def _decoded(data: bytes, form: str, codec: str) -> tuple[Samples, int]:
    """Decode by libav as `form` alone; the codec's name begins with `codec`. Raises BadSound."""
    title = form.upper()
    try:
        with av.open(io.BytesIO(data), "r", format=form) as container:
            streams = container.streams.audio
            if len(streams) != 1 or (form == "wav" and len(container.streams) != 1):
                raise BadSound(f"the {title} file has no single audio stream")
            context = streams[0].codec_context
            if not context.name.startswith(codec) or context.sample_rate not in _RATES:
                raise BadSound(f"the {title} file has {context.name} at {context.sample_rate} Hz")
            rate = context.sample_rate
            frames = list(resampled(container.decode(audio=0), layout="mono", rate=rate))
    except (av.FFmpegError, ValueError) as error:
        raise error if isinstance(error, BadSound) else BadSound(f"the {title} file is damaged ({error})") from error
    if not frames:
        raise BadSound(f"the {title} file has no samples")
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16), rate


def _joined(parts: Iterable[tuple[Samples, int]]) -> tuple[Samples, int]:
    """Join the sounds of several files. Raises BadSound where their rates differ, or there is none."""
    found = list(parts)
    if not found:
        raise BadSound("the WAV file has no samples")
    if len({rate for _, rate in found}) > 1:
        raise BadSound("the WAV files in the answer have several rates")
    return np.concatenate([samples for samples, _ in found]), found[0][1]


def _are_frames(data: bytes, frame_bytes: Callable[[bytes, int], int]) -> bool:
    """Tell whether `data` is a frame or begins with two: raw samples may begin as a frame does, too."""
    length = frame_bytes(data, 0)
    return length > 0 and (length == len(data) or frame_bytes(data, length) > 0)


def _mp3_frame_bytes(data: bytes, at: int) -> int:
    """Return the length of the frame of layer III at `at`, or 0."""
    header = data[at : at + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rates = header[1] >> 3 & 3, _MP3_RATES.get(header[1] >> 3 & 3)
    index, place = header[2] >> 4, header[2] >> 2 & 3
    if rates is None or place == 3 or not 0 < index < 15:
        return 0
    first = version == 3
    return (144 if first else 72) * _BIT_RATES[int(first)][index] * 1_000 // rates[place] + (header[2] >> 1 & 1)


def _adts_frame_bytes(data: bytes, at: int) -> int:
    """Return the length of the ADTS frame at `at`, or 0."""
    header = data[at : at + 7]
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > len(header) else 0
