"""What a file is, by its first bytes alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventflow.assets.errors import UnsupportedMedia
from handlers.assets.sniff import HEAD_BYTES, KIND_BYTES, Format, format_of, kind_of
from tests.support.mediafiles import picture, tone


@pytest.mark.parametrize(
    ("head", "kind", "decoder"),
    [
        (picture("PNG"), "image", "PNG"),
        (picture("JPEG"), "image", "JPEG"),
        (picture("WEBP"), "image", "WEBP"),
        (picture("GIF"), "image", "GIF"),
        (b"\0\0\0\x20ftypisom", "clip", "mov"),
        (b"\0\0\0\x20ftypqt  ", "clip", "mov"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "clip", "mov"),
        (b"\0\0\0\x20ftypM4A ", "audio", "mov"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "clip", "matroska"),
        (tone(0.01), "audio", "wav"),
        (b"OggS\0\x02", "audio", "ogg"),
        (b"fLaC\0\0", "audio", "flac"),
        (b"ID3\x04\0\0", "audio", "mp3"),
        (b"\xff\xfb\x90\x64", "audio", "mp3"),
        (b"\xff\xf1\x50\x80", "audio", "aac"),
        (b"\x1aE\xdf\xa3\x9fB\x82\x88matroska", "clip", "matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "clip", "avi"),
        (b"\x47" * 400, "clip", "mpegts"),
        (b"\0\0\0\0" + b"\x47" * 400, "clip", "mpegts"),
        (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), "clip", "asf"),
        (picture("BMP"), "image", "BMP"),
        (picture("TIFF"), "image", "TIFF"),
        (b"FORM\0\0\0\0AIFF", "audio", "aiff"),
        (b"FORM\0\0\0\0AIFC", "audio", "aiff"),
    ],
)
def test_formats_that_are_taken(head: bytes, kind: str, decoder: str) -> None:
    found = format_of(head[:HEAD_BYTES])
    assert (found.kind, found.decoder) == (kind, decoder)
    assert kind_of(head[:KIND_BYTES]) == kind


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"\xef\xbb\xbf  <?xml version='1.0'?><svg>", "SVG"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", "playlists"),
        (b"ffconcat version 1.0\nfile /etc/passwd", "playlists"),
        (b"file '/etc/passwd'", "playlists"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\0\0\0\x1cftypheic", "HEIC"),
        (b"\0\0\0\x1cftypavif", "AVIF"),
        (b"BM\x46\0\0\0", "format is unknown"),
        (b"GOTO 10\n" * 80, "format is unknown"),
        (b"MZ\x90\0", "format is unknown"),
        (b"%PDF-1.7", "PDF is not accepted: export the page as PNG"),
        (b"PK\x03\x04", "an archive or an office document: send the media file"),
        (b"FLV\1", "Flash video is not accepted: save it as MP4"),
        (b"\0\0\1\xba", "MPEG program streams .* save it as MP4"),
        (b".RMF", "RealMedia is not accepted: save it as MP4"),
        (b"8BPS\0\1", "Photoshop files are not accepted: export it as PNG"),
        (b"\xff\x0a", "JPEG XL is not accepted: save it as JPEG or PNG"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000 is not accepted"),
        (b"\0\0\1\0\1\0", "icons are not accepted: save it as PNG"),
        (b"II+\0", "BigTIFF is not accepted"),
        (b"MThd", "MIDI is notes"),
        (b"#!AMR\n", "AMR is not accepted: save it as M4A or WAV"),
        (b"caff\0\1", "Core Audio Format is not accepted: save it as M4A or WAV"),
    ],
)
def test_what_is_not_taken_is_told_with_what_is(head: bytes, why: str) -> None:
    with pytest.raises(UnsupportedMedia, match=why) as caught:
        format_of(head)
    assert "PNG, JPEG, WebP" in str(caught.value)


@given(st.binary(max_size=HEAD_BYTES))
def test_any_bytes_are_a_format_or_refused(head: bytes) -> None:
    try:
        found = format_of(head)
    except UnsupportedMedia:
        return
    assert isinstance(found, Format)
