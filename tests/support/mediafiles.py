"""Tiny media files of every format that is taken, and of some that pretend."""

from __future__ import annotations

import io
import struct
import wave
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (32, 18), colour: Any = (200, 30, 30), **options: Any) -> bytes:
    data = io.BytesIO()
    Image.new(options.pop("mode", "RGB"), size, colour).save(data, kind, **options)
    return data.getvalue()


def png_of(width: int, height: int, rows: bytes = b"\0") -> bytes:
    """A PNG whose header promises `width` x `height`."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG_MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tone(seconds: float = 1.0, rate: int = 44_100, hertz: float = 440.0) -> bytes:
    """A WAV file, one channel."""
    samples = np.sin(np.arange(int(seconds * rate)) * 2 * np.pi * hertz / rate) * 0.5
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return data.getvalue()


def sound(path: Path, codec: str, seconds: float = 1.0, **options: Any) -> Path:
    """A sound file in the format that the suffix says."""
    with av.open(str(path), "w", **options) as container:
        stream = container.add_stream(codec, rate=48_000, layout="stereo")
        if codec.startswith("wma"):
            stream.bit_rate = 128_000  # it has no default
        frame = av.AudioFrame.from_ndarray(
            np.tile(np.sin(np.arange(int(seconds * 48_000)) * 0.05).astype(np.float32) * 0.5, (2, 1)), "fltp", "stereo"
        )
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.codec_context.format, "stereo", 48_000, stream.codec_context.frame_size)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return path


def clip(
    path: Path,
    codec: str = "libx264",
    *,
    seconds: float = 1.0,
    rate: int = 10,
    size: tuple[int, int] = (64, 36),
    with_sound: str | None = "aac",
    **options: Any,
) -> Path:
    """A clip whose picture turns from black to white; `options` are the muxer's."""
    with av.open(str(path), "w", options={k: str(v) for k, v in options.items()}) as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        audio: Any = container.add_stream(with_sound, rate=48_000, layout="stereo") if with_sound else None
        count = max(1, round(seconds * rate))
        for number in range(count):
            grey = np.full((size[1], size[0], 3), round(255 * number / max(1, count - 1)), np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if audio is not None:
            samples = np.full((2, round(seconds * 48_000)), 0.25, np.float32)
            loud = av.AudioFrame.from_ndarray(samples, "fltp", "stereo")
            loud.sample_rate = 48_000
            resampler = av.AudioResampler(audio.codec_context.format, "stereo", 48_000, audio.codec_context.frame_size)
            for piece in [*resampler.resample(loud), *resampler.resample(None)]:
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
    return path
