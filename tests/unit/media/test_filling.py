"""AAC that is filled up is heard as it was, and has the size that was asked for to the byte."""

import av
import numpy as np
import pytest
from av.codec.context import Flags

from handlers.generation.audio import aac
from handlers.generation.audio.aac import padded, padded_to_rate

RATE = 128_000


def encoded(samples: np.ndarray, bit_rate: int) -> tuple[bytes, list[bytes]]:
    """The decoder's configuration and packets, as libav gives them."""
    encoder = av.CodecContext.create("aac", "w")
    aac.configure(encoder, bit_rate)
    encoder.flags |= Flags.global_header
    packets = []
    for start in range(0, samples.shape[1], 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, start : start + 1024]), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48_000, start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    packets += [bytes(packet) for packet in encoder.encode(None)]
    return bytes(encoder.extradata or b""), packets


def heard(config: bytes, packets: list[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("aac", "r")
    decoder.extradata = config
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet))]
    return np.concatenate([frame.to_ndarray() for frame in frames], axis=1)


@pytest.fixture(scope="module")
def spoken() -> tuple[bytes, list[bytes]]:
    """A second and a half of silence, noise that swells, and silence."""
    random = np.random.default_rng(7)
    loud = np.concatenate([np.zeros(24_576), np.linspace(0, 0.3, 24_576), np.zeros(24_576)])
    return encoded((random.normal(0, 1, (2, len(loud))) * loud).astype(np.float32), 64_000)


def test_every_size_can_be_filled(spoken: tuple[bytes, list[bytes]]) -> None:
    config, packets = spoken
    more = [padded(packet, len(packet) + number * 9) for number, packet in enumerate(packets)]
    few = [padded(packet, len(packet) + number % 40) for number, packet in enumerate(packets)]
    assert [len(packet) for packet in more] == [len(packet) + number * 9 for number, packet in enumerate(packets)]
    assert [len(packet) for packet in few] == [len(packet) + number % 40 for number, packet in enumerate(packets)]
    assert len(more[-1]) > 600, "more than one fill element"
    for made in (more, few):
        assert (heard(config, made) == heard(config, packets)).all()


def test_a_packet_is_never_cut() -> None:
    assert padded(b"\x21\x10\xe0", 2) == b"\x21\x10\xe0"


def test_packets_come_to_the_rate_and_the_large_ones_are_made_up_for(spoken: tuple[bytes, list[bytes]]) -> None:
    _, packets = spoken
    made = padded_to_rate(packets, RATE)
    assert made is not None
    assert sum(map(len, made)) == len(packets) * 1024 * RATE // (8 * 48_000)
    assert max(map(len, packets)) > 1024 * RATE / (8 * 48_000), "or nothing had to be made up for"
    assert padded_to_rate(packets, 8_000) is None
