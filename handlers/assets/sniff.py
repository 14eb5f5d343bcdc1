"""Identifies a file by its first bytes; names and declared media types are ignored."""

from __future__ import annotations

from attrs import frozen

from eventflow.assets.errors import UnsupportedMedia
from eventflow.domain.values import Kind

#: Bytes of a file that identify it.
HEAD_BYTES = 64


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
_MP3_SYNC = (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)
_ADTS_SYNC = (0xF1, 0xF9, 0xF0, 0xF8)


def format_of(head: bytes) -> Format:
    """Identify the format of a file that begins with `head`. Raises UnsupportedMedia."""
    found = _picture(head) or _container(head) or _sound(head)
    if found is None:
        raise UnsupportedMedia(_why(head))
    return found


def _picture(head: bytes) -> Format | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format("image", "PNG")
    if head.startswith(b"\xff\xd8\xff"):
        return Format("image", "JPEG")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format("image", "GIF")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format("image", "WEBP")
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
        if b"webm" not in head:
            raise UnsupportedMedia("Matroska files other than WebM are not accepted")
        return Format("clip", "matroska")
    return None


def _sound(head: bytes) -> Format | None:
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
        return Format("audio", "wav")
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
    return "the file's format is unknown"
