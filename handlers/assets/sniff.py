"""Identifies a file by its first bytes; names and declared media types are ignored."""

from __future__ import annotations

from attrs import frozen

from eventflow.assets.errors import UnsupportedMedia
from eventflow.domain.values import Kind

#: Bytes of a file that tell its kind, and those that identify its format.
KIND_BYTES, HEAD_BYTES = 64, 600


@frozen
class Format:
    """A format: `decoder` names Pillow's plug-in for pictures, libav's demuxer otherwise.

    `kind` is provisional: an MP4 without video turns out to be sound.
    """

    kind: Kind
    decoder: str


#: Brands of ISO base media files that are not clips.
_M4A = (b"M4A ", b"M4B ", b"M4P ")
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
#: First boxes of an ISO or QuickTime file; old QuickTime files have no `ftyp`.
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"skip", b"free")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
#: Places of the first sync bytes of transport streams, and lengths of their packets.
_PACKETS = ((0, 188), (4, 192))
_MP3_SYNC = (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)
_ADTS_SYNC = (0xF1, 0xF9, 0xF0, 0xF8)


def format_of(head: bytes) -> Format:
    """Identify the format of a file that begins with `head`. Raises UnsupportedMedia."""
    found = _picture(head) or _container(head) or _sound(head)
    if found is None:
        raise UnsupportedMedia(_why(head))
    return found


def kind_of(head: bytes) -> Kind:
    """Tell the kind of a file by its first bytes, `KIND_BYTES` or more. Raises UnsupportedMedia.

    A transport stream is told by its first packet alone, so that `format_of` may still refuse it.
    """
    if len(head) < HEAD_BYTES and any(head[first : first + 1] == b"\x47" for first, _ in _PACKETS):
        try:
            return format_of(head).kind
        except UnsupportedMedia:
            return "clip"
    return format_of(head).kind


def _picture(head: bytes) -> Format | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format("image", "PNG")
    if head.startswith(b"\xff\xd8\xff"):
        return Format("image", "JPEG")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format("image", "GIF")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format("image", "WEBP")
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return Format("image", "BMP")
    if head.startswith((b"II*\0", b"MM\0*")):
        return Format("image", "TIFF")
    return None


def _container(head: bytes) -> Format | None:
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _STILLS:
            raise UnsupportedMedia("HEIC and AVIF pictures are not accepted: save it as JPEG or PNG")
        return Format("audio" if brand in _M4A else "clip", "mov")
    if head[4:8] in _BOXES:
        return Format("clip", "mov")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return Format("clip", "matroska")
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return Format("clip", "avi")
    if head.startswith(_ASF):
        return Format("clip", "asf")
    if any(_is_transport(head, first, length) for first, length in _PACKETS):
        return Format("clip", "mpegts")
    return None


def _is_transport(head: bytes, first: int, length: int) -> bool:
    """Tell whether the first three packets of an MPEG transport stream are there; cameras put a time before each."""
    return len(head) > first + 2 * length and all(head[first + length * at] == 0x47 for at in range(3))


def _sound(head: bytes) -> Format | None:
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
        return Format("audio", "wav")
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return Format("audio", "aiff")
    if head.startswith(b"OggS"):
        return Format("audio", "ogg")
    if head.startswith(b"fLaC"):
        return Format("audio", "flac")
    if head.startswith(b"ID3"):
        return Format("audio", "mp3")
    if len(head) > 1 and head[0] == 0xFF:
        if head[1] in _ADTS_SYNC:
            return Format("audio", "aac")
        if head[1] in _MP3_SYNC:
            return Format("audio", "mp3")
    return None


#: Formats that are known and not accepted, by their first bytes, with the way out.
_REFUSED = (
    (b"FLV\1", "Flash video is not accepted: save it as MP4"),
    (b"\0\0\1\xba", "MPEG program streams (MPG, VOB) are not accepted: save it as MP4"),
    (b".RMF", "RealMedia is not accepted: save it as MP4"),
    (b"8BPS", "Photoshop files are not accepted: export it as PNG"),
    (b"%PDF", "PDF is not accepted: export the page as PNG"),
    (b"\0\0\0\x0cJXL ", "JPEG XL is not accepted: save it as JPEG or PNG"),
    (b"\xff\x0a", "JPEG XL is not accepted: save it as JPEG or PNG"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000 is not accepted: save it as JPEG or PNG"),
    (b"\0\0\1\0", "icons are not accepted: save it as PNG"),
    (b"II+\0", "BigTIFF is not accepted: save it as TIFF or PNG"),
    (b"MM\0+", "BigTIFF is not accepted: save it as TIFF or PNG"),
    (b"MThd", "MIDI is notes, not sound: save it as WAV"),
    (b"#!AMR", "AMR is not accepted: save it as M4A or WAV"),
    (b"caff", "Core Audio Format is not accepted: save it as M4A or WAV"),
    (b"MAC ", "Monkey's Audio is not accepted: save it as FLAC or WAV"),
    (b"wvpk", "WavPack is not accepted: save it as FLAC or WAV"),
    (b"PK\x03\x04", "this is an archive or an office document: send the media file that is in it"),
    (b"Rar!", "this is an archive: send the media file that is in it"),
    (b"\x1f\x8b", "this is a compressed file: send what is in it"),
)


def _why(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        return "the file is empty"
    if text.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        return "SVG is not accepted, because it may refer to other files: export it as PNG"
    if text.startswith((b"#extm3u", b"ffconcat", b"[playlist]", b"file ")):
        return "playlists are not accepted: send the media file itself"
    if text.startswith((b"<!doctype", b"<html")):
        return "this is a web page, not a media file"
    return next((reason for start, reason in _REFUSED if head.startswith(start)), "the file's format is unknown")
