"""Answers of speech services in the forms in which services are documented or reported to send them."""

from __future__ import annotations

import base64
import io
import json
import struct
from typing import Final

import av
import numpy as np
from attrs import frozen

from tests.support.speech_server import RATE, Answer, tone, wav

LENGTH_S: Final = 1.5
TONE: Final = tone(LENGTH_S)
WAV: Final = wav(TONE)


def sized(samples: bytes, size: int, *, before: bytes = b"", after: bytes = b"", form: bytes = b"") -> bytes:
    """A WAV file with any size of `data` in its header."""
    shape = form or struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    head = b"fmt " + struct.pack("<I", len(shape)) + shape + before
    return (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + head + b"data" + struct.pack("<I", size) + samples + after
    )


def coded(form: str, codec: str, rate: int = RATE) -> bytes:
    """The tone in a file of another format."""
    target = io.BytesIO()
    with av.open(target, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        samples = np.frombuffer(TONE, "<i2")[np.newaxis]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="s16", layout="mono")
        frame.sample_rate = RATE
        kind, size = stream.codec_context.format.name, stream.codec_context.frame_size or None
        resampler = av.AudioResampler(format=kind, layout="mono", rate=rate, frame_size=size)
        for piece in (frame, None):
            for out in resampler.resample(piece):
                container.mux(stream.encode(out))
        container.mux(stream.encode(None))
    return target.getvalue()


def sent(body: bytes, kind: str = "audio/wav", status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"Content-Type": kind, **named})


def problem(status: int, error: object, kind: str = "application/json", **headers: str) -> Answer:
    return sent(error if isinstance(error, bytes) else json.dumps(error).encode(), kind, status, **headers)


def events(*parts: bytes) -> bytes:
    said = [{"type": "speech.audio.delta", "audio": base64.b64encode(part).decode()} for part in parts]
    lines = [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in said]
    return ("".join(lines) + 'data: {"type": "speech.audio.done", "usage": {}}\n\n').encode()


def _at(rate: int, channels: int = 1) -> bytes:
    samples = np.frombuffer(TONE, "<i2")
    places = np.arange(round(LENGTH_S * rate)) * (RATE / rate)
    return np.repeat(np.interp(places, np.arange(len(samples)), samples).astype("<i2"), channels).tobytes()


_FLOAT = (np.frombuffer(TONE, "<i2") / 32768).astype("<f4").tobytes()
_FLOAT_FORM = struct.pack("<HHIIHH", 3, 1, RATE, RATE * 4, 4, 32)
_LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"

#: Name -> an answer to one line that is 1.5 s of sound, asked for once.
GOOD: dict[str, Answer] = {
    "WAV": sent(WAV),
    "WAV with 201": sent(WAV, status=201),
    "WAV of any type": sent(WAV, "application/octet-stream"),
    "size 0xFFFFFFFF": sent(sized(TONE, 0xFFFFFFFF)),
    "size 0x7FFFFFFF": sent(sized(TONE, 0x7FFFFFFF)),
    "size 0x7FFFFFFF less the header": sent(sized(TONE, 0x7FFFFFFF - 44)),
    "size 2,000,000,000": sent(sized(TONE, 2_000_000_000)),
    "size 0": sent(sized(TONE, 0)),
    "LIST before data": sent(sized(TONE, len(TONE), before=_LIST)),
    "LIST after data": sent(sized(TONE, len(TONE), after=_LIST)),
    "float32": sent(sized(_FLOAT, len(_FLOAT), form=_FLOAT_FORM)),
    "three files one behind the other": sent(b"".join(wav(TONE[at : at + 24_000]) for at in range(0, 72_000, 24_000))),
    "headers per part with placeholders": sent(
        b"".join(sized(TONE[at : at + 24_000], 0xFFFFFFFF) for at in range(0, 72_000, 24_000))
    ),
    "the size of the first part, then samples": sent(sized(TONE, 24_000)),
    "mp3": sent(coded("mp3", "libmp3lame"), "audio/mpeg"),
    "mp3 as WAV": sent(coded("mp3", "libmp3lame"), "audio/wav"),
    "flac": sent(coded("flac", "flac"), "audio/flac"),
    "opus": sent(coded("ogg", "libopus", 48_000), "audio/ogg"),
    "aac": sent(coded("adts", "aac"), "audio/aac"),
    "PCM": sent(TONE, "audio/pcm"),
    "PCM of an odd length": sent(TONE + b"\0", "audio/pcm"),
    "PCM whose rate is in its type": sent(_at(22_050), "audio/pcm;rate=22050"),
    "PCM whose rate is in a header": sent(_at(22_050), "audio/pcm", X_Sample_Rate="22050"),
    "PCM in stereo": sent(_at(RATE, 2), "audio/pcm;rate=24000;channels=2"),
    "PCM that begins as MP3 does": sent(b"\xff\xfb" + TONE[2:], "audio/pcm"),
    "L16 as Gemini sends it": sent(TONE, "audio/L16;codec=pcm;rate=24000"),
    "L16 as RFC 2586 has it": sent(np.frombuffer(TONE, "<i2").astype(">i2").tobytes(), "audio/L16;rate=24000"),
    "events": sent(events(WAV[:30_000], WAV[30_000:]), "text/event-stream"),
    "JSON with base64": sent(json.dumps({"audio": base64.b64encode(WAV).decode()}).encode(), "application/json"),
    "JSON with base64 deeper": sent(
        json.dumps({"output": {"audio": {"data": base64.b64encode(WAV).decode(), "format": "wav"}}}).encode()
    ),
}


@frozen
class Bad:
    """An answer, what its message says, and whether it may pass. `asked`: the requests that it takes."""

    answer: Answer
    says: str
    passes: bool
    asked: int = 1


_CUDA = {"error": {"message": "CUDA out of memory"}}
BAD: dict[str, Bad] = {
    "zeros": Bad(sent(wav(bytes(len(TONE)))), "silence for 36 characters", True),
    "half of the file": Bad(sent(sized(TONE[:30_000], 72_000)), "cut off: 30,000 of 72,000 bytes", True),
    "20 ms": Bad(sent(wav(TONE[9_600:10_560])), r"0.02 s of sound for 36 characters", True),
    "empty": Bad(sent(b""), "not audio", True),
    "a header alone": Bad(sent(WAV[:44]), "not audio", True),
    "a chunk without an end": Bad(sent(WAV[:12] + b"LIST\xff\xff\0\0" + WAV[12:]), "longer than the file", True),
    "mp3 that isn't": Bad(sent(bytes(4_000), "audio/mpeg"), "neither WAV nor PCM", True),
    "FLAC that is damaged": Bad(sent(b"fLaC" + bytes(2_000), "audio/flac"), "FLAC file", True),
    "bare samples that weren't asked for": Bad(sent(TONE, "application/octet-stream"), "neither WAV nor PCM", True),
    "base64 that isn't": Bad(sent(b'{"audio": "%%%"}', "application/json"), "no base64", True),
    "JSON without sound": Bad(sent(b'{"status": "ok"}', "application/json"), r"JSON without sound \(status\)", True),
    "an error with 200": Bad(problem(200, _CUDA), "CUDA out of memory", True),
    "an error as WAV": Bad(problem(200, _CUDA, "audio/wav"), "CUDA out of memory", True),
    "an error event": Bad(sent(b'data: {"error": {"message": "busy", "code": 503}}\n\n'), "503: busy", True),
    "500 with a reason": Bad(problem(500, _CUDA), "500: CUDA out of memory", True),
    "500 for a voice": Bad(
        problem(500, {"detail": "Voice 'alloy' not found. Available voices: anna"}),
        "Available voices: anna.*EVENTFLOW_SPEECH_VOICES",
        False,
    ),
    "503": Bad(problem(503, {"error": {"message": "Loading model"}}), "503: Loading model", True),
    "429": Bad(problem(429, {"error": {"message": "slow down"}}), "429: slow down", True),
    "429 for good": Bad(
        problem(429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
        "used up.*quota",
        False,
    ),
    "402": Bad(problem(402, {"error": "no money"}), "used up.*no money", False),
    "401": Bad(problem(401, {"detail": "bad token"}), "401: bad token.*EVENTFLOW_SPEECH_KEY", False),
    "403 flagged": Bad(problem(403, {"error": {"message": "The input was flagged"}}), "flagged", False),
    "404 model": Bad(
        problem(404, {"error": {"message": "model x does not exist", "code": "model_not_found"}}),
        "EVENTFLOW_SPEECH_MODEL",
        False,
    ),
    "307": Bad(problem(307, b""), "redirects.*EVENTFLOW_SPEECH_URL", False),
    "a web page": Bad(sent(b"<html><title>Home</title>", "text/html"), "Home.*EVENTFLOW_SPEECH_URL", False),
    "LM Studio with 200": Bad(
        problem(200, {"error": "Unexpected endpoint or method. (POST /audio/speech)"}), "EVENTFLOW_SPEECH_URL", False
    ),
    "400 of another kind": Bad(problem(400, {"detail": "this text is odd"}), "this text is odd", False),
    "400 for every format": Bad(problem(400, {"detail": "response_format"}), "response_format", False, asked=4),
    "500 with nothing": Bad(problem(500, b""), "answers 500", True, asked=4),
}
