"""Conversion of a clip's colours to those of a screen, sRGB, as a table of ffmpeg's filter `lut3d`.

Clips in HLG or PQ (ITU-R BT.2100), or with the primaries of BT.2020 or Display P3, are meant for other screens than
videos and pages here. Diffuse white, 203 cd/m2 in HDR (ITU-R BT.2408), becomes almost the white of the page; what is
brighter is compressed above it (decision 233).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

#: Numbers of ITU-T H.273: colour primaries, transfer characteristics.
_WIDE: Final[dict[int, Literal["bt2020", "p3"]]] = {9: "bt2020", 11: "p3", 12: "p3"}
_HDR: Final[dict[int, Literal["pq", "hlg"]]] = {16: "pq", 18: "hlg"}

#: Linear light in other primaries to that in BT.709's; rows sum up to 1, since all have the white point D65.
_TO_BT709: Final = {
    "bt709": np.eye(3),
    "bt2020": np.array(
        [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
    ),
    "p3": np.array([[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]]),
}
#: The share of each primary in the luminance.
_LUMINANCE: Final = {
    "bt709": np.array([0.2126, 0.7152, 0.0722]),
    "bt2020": np.array([0.2627, 0.6780, 0.0593]),
    "p3": np.array([0.228975, 0.691739, 0.079287]),
}
#: Luminance of diffuse white, of the screen that HLG is graded on, and of the largest PQ signal, in cd/m2.
_WHITE, _HLG_PEAK, _PQ_PEAK = 203.0, 1_000.0, 10_000.0
#: The signal above which highlights are compressed: white itself becomes 248 of 255.
_KNEE: Final = 0.95
#: Values of a table in each direction: between them greys are off by at most 3 of 255, other colours by 0.3 on average.
_POINTS: Final = 49

Rgb = NDArray[np.float64]


@frozen
class Colours:
    """How a clip's colours are meant; the defaults are those that need no conversion."""

    primaries: Literal["bt709", "bt2020", "p3"] = "bt709"
    transfer: Literal["sdr", "pq", "hlg"] = "sdr"


def colours_of(primaries: int, transfer: int) -> Colours:
    """Return the colours with the numbers of ITU-T H.273; unknown ones count as BT.709."""
    return Colours(_WIDE.get(primaries, "bt709"), _HDR.get(transfer, "sdr"))


def to_screen(signal: Rgb, colours: Colours) -> Rgb:
    """Convert R'G'B' from 0 to 1 (the last axis) to sRGB from 0 to 1."""
    light = _light(signal, colours) @ _TO_BT709[colours.primaries].T
    light = np.maximum(light, 0.0)
    if colours.transfer != "sdr":
        # by the strongest of the three, so that hues stay
        most = light.max(axis=-1, keepdims=True)
        peak = (_HLG_PEAK if colours.transfer == "hlg" else _PQ_PEAK) / _WHITE
        light = light * _decoded(_shoulder(_encoded(most), float(_encoded(np.array(peak))))) / np.maximum(most, 1e-9)
    return np.clip(_encoded(light), 0.0, 1.0)


def write_table(path: Path, colours: Colours) -> None:
    """Write the conversion as a `.cube` file: red changes fastest, then green."""
    axis = np.linspace(0.0, 1.0, _POINTS)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    values = to_screen(np.stack((red, green, blue), axis=-1), colours).reshape(-1, 3)
    rows = "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in values.tolist())
    path.write_text(f"LUT_3D_SIZE {_POINTS}\n{rows}\n", encoding="ascii")


def _light(signal: Rgb, colours: Colours) -> Rgb:
    """Return linear light of a screen, 1 for diffuse white. Greys of SDR keep their value: both ways are sRGB's."""
    match colours.transfer:
        case "hlg":  # BT.2100, tables 5: inverse OETF, then the OOTF with the gamma of a screen of 1000 cd/m2
            a, b, c = 0.17883277, 0.28466892, 0.55991073
            scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
            gain = (scene @ _LUMINANCE[colours.primaries])[..., np.newaxis] ** 0.2
            return np.asarray(scene * gain * _HLG_PEAK / _WHITE)
        case "pq":  # BT.2100, table 4: the EOTF
            m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
            powered = signal ** (1 / m2)
            return np.asarray((np.maximum(powered - c1, 0.0) / (c2 - c3 * powered)) ** (1 / m1) * _PQ_PEAK / _WHITE)
        case _:
            return _decoded(signal)


def _shoulder(value: Rgb, peak: float) -> Rgb:
    """Compress values above the knee so that `peak` becomes 1: a hyperbola that leaves the knee with slope 1."""
    over = np.maximum(value - _KNEE, 0.0)
    bend = 1 / (1 - _KNEE) - 1 / (peak - _KNEE)
    return np.minimum(value, _KNEE) + over / (1 + over * bend)


def _encoded(light: Rgb) -> Rgb:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


def _decoded(value: Rgb) -> Rgb:
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0.04045) + 0.055) / 1.055) ** 2.4)
