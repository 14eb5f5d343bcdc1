"""Six patches side by side, as clips and pictures for screens other than ours. The formulas are the published ones."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

#: White, grey, red, green, blue, skin: what an sRGB screen shows.
PATCHES: Final = ((255, 255, 255), (128, 128, 128), (220, 40, 40), (40, 180, 60), (40, 60, 220), (224, 172, 140))
WIDTH, HEIGHT = 360, 120
#: Chromaticities of red, green, blue (ITU-R BT.709, BT.2020, SMPTE RP 431-2); white is D65.
_PRIMARIES: Final = {
    1: ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_D65: Final = (0.3127, 0.3290)
#: Shares of red and blue in the luma, by the number of the matrix (ITU-T H.273).
_LUMA: Final = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}

Values = NDArray[np.float64]


def clip_of_patches(path: Path, *, primaries: int, transfer: int, matrix: int, full: bool = False) -> Path:
    """Three frames of ten bits in H.264, described by the numbers of ITU-T H.273."""
    signal = _signal(primaries, transfer)
    red, blue = _LUMA[matrix]
    luma = signal @ np.array([red, 1 - red - blue, blue])
    chroma = ((signal[:, 2] - luma) / (2 - 2 * blue), (signal[:, 0] - luma) / (2 - 2 * red))
    planes = [1023 * luma if full else 64 + 876 * luma, *(512 + (1023 if full else 896) * part for part in chroma)]
    rows = [np.round(np.repeat(plane, WIDTH // len(PATCHES))).astype(np.uint16) for plane in planes]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=30, options={"crf": "1", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
        context.color_range = 2 if full else 1
        for number in range(3):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv444p10le")
            for plane, row in zip(frame.planes, rows, strict=True):
                plane.update(row.tobytes().ljust(plane.line_size, b"\0") * HEIGHT)
            frame.color_primaries, frame.color_trc, frame.colorspace = primaries, transfer, matrix
            frame.color_range = context.color_range
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def p3_pixels() -> NDArray[np.uint8]:
    """The patches as pixels in Display P3, of shape (height, width, 3)."""
    row = np.repeat(np.round(255 * _signal(12, 13)).astype(np.uint8), WIDTH // len(PATCHES), axis=0)
    return np.tile(row, (HEIGHT, 1, 1))


def p3_profile() -> bytes:
    """An ICC profile (version 2) of Display P3: its primaries, adapted to D50, and sRGB's curve as a table."""
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1.0, 0.8249])
    ratio = (bradford @ d50) / (bradford @ _xyz(_D65))
    adapted = np.linalg.inv(bradford) @ np.diag(ratio) @ bradford @ _to_xyz(12)

    def fixed(values: Values) -> bytes:
        return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))

    curve = [round(65535 * float(_decoded(np.array(at / 255)))) for at in range(256)]
    name = b"desc\0\0\0\0" + struct.pack(">I", 11) + b"Display P3\0" + bytes(78)
    tags = {
        b"desc": name, b"cprt": b"text\0\0\0\0none\0", b"wtpt": fixed(d50),
        **{tag: fixed(adapted[:, at]) for at, tag in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">I256H", 256, *curve)),
    }  # fmt: skip
    directory, data, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for tag, body in tags.items():
        body += bytes(-len(body) % 4)
        directory += tag + struct.pack(">2I", at + len(data), len(body))
        data += body
    size = 128 + len(directory) + len(data)
    header = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", *(round(float(value) * 65536) for value in d50))
    return header.ljust(128, b"\0") + directory + data


def _signal(primaries: int, transfer: int) -> Values:
    """The patches as R'G'B' from 0 to 1."""
    light = _decoded(np.array(PATCHES) / 255) @ (np.linalg.inv(_to_xyz(primaries)) @ _to_xyz(1)).T
    light = np.maximum(light, 0.0)
    if transfer == 16:  # PQ; white has 203 cd/m2
        powered = (light * 203 / 10_000) ** (1305 / 8192)
        return np.asarray(((107 / 128 + 2413 / 128 * powered) / (1 + 2392 / 128 * powered)) ** (2523 / 32))
    if transfer == 18:  # HLG on a screen of 1000 cd/m2
        shown = light * 0.203
        luminance = np.maximum(shown @ _to_xyz(primaries)[1], 1e-9)[:, np.newaxis]
        scene = shown * luminance ** (1 / 1.2 - 1)
        return np.where(
            scene <= 1 / 12,
            np.sqrt(3 * scene),
            0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073,
        )
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055)


def _decoded(value: Values) -> Values:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _xyz(point: tuple[float, float]) -> Values:
    return np.array([point[0] / point[1], 1.0, (1 - point[0] - point[1]) / point[1]])


def _to_xyz(primaries: int) -> Values:
    """The matrix from linear light to CIE XYZ."""
    columns = np.array([_xyz(point) for point in _PRIMARIES[primaries]]).T
    return np.asarray(columns * np.linalg.solve(columns, _xyz(_D65)))
