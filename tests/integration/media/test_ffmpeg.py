"""ffmpeg is held to its limits, and leaves nothing behind."""

import os
import sys
from pathlib import Path

import pytest

from handlers.media import ffmpeg
from handlers.media.ffmpeg import FfmpegError, FfmpegStopped, Limits

ENDLESS = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=30", "-f", "null", "-"]
PICTURE = [
    "-f",
    "lavfi",
    "-i",
    "rgbtestsrc=size=8x8:rate=1:duration=1",
    "-f",
    "rawvideo",
    "-pix_fmt",
    "rgb24",
    "pipe:1",
]

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process that runs")


def test_output_is_given_back() -> None:
    assert len(ffmpeg.run(PICTURE)) == 8 * 8 * 3


def test_what_takes_too_long_is_ended() -> None:
    before = _children()
    with pytest.raises(FfmpegError, match=r"longer than 0\.3 s"):
        ffmpeg.run(ENDLESS, limits=Limits(seconds=0.3))
    assert _children() <= before


def test_the_caller_can_stop_it() -> None:
    before, asked = _children(), iter([False, False])
    with pytest.raises(FfmpegStopped):
        ffmpeg.run(ENDLESS, should_stop=lambda: next(asked, True))
    assert _children() <= before


def test_too_much_output_is_refused() -> None:
    with pytest.raises(FfmpegError, match="more than 100 bytes"):
        ffmpeg.run(PICTURE, limits=Limits(output_bytes=100))


@linux
def test_a_file_can_not_grow_beyond_its_limit(tmp_path: Path) -> None:
    target = tmp_path / "out.rgb"
    given = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=30", "-f", "rawvideo", str(target)]
    with pytest.raises(FfmpegError, match=r"too large a file|too large"):
        ffmpeg.run(given, limits=Limits(file_bytes=1_000_000))
    assert target.stat().st_size <= 1_000_000


@linux
def test_memory_is_limited() -> None:
    with pytest.raises(FfmpegError):
        ffmpeg.run(
            ["-f", "lavfi", "-i", "testsrc2=size=16000x16000:rate=1:duration=1", "-f", "null", "-"],
            limits=Limits(memory_bytes=300 << 20),
        )


@linux
def test_processor_time_is_limited() -> None:
    with pytest.raises(FfmpegError, match=r"processor time|SIGKILL"):
        ffmpeg.run(ENDLESS, limits=Limits(cpu_seconds=1))


def test_no_other_protocol_is_opened_and_the_error_says_so(tmp_path: Path) -> None:
    secret = tmp_path / "secret.rgb"
    secret.write_bytes(bytes(192))
    with pytest.raises(FfmpegError, match="not on whitelist"):
        ffmpeg.run(["-f", "rawvideo", "-s", "8x8", "-pix_fmt", "rgb24", "-i", f"file:{secret}", "-f", "null", "-"])
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(FfmpegError, match=r"whitelist|Invalid data|Error opening"):
        ffmpeg.run(["-f", "hls", "-i", str(playlist), "-f", "null", "-"], protocols=("file",))


def _children() -> set[str]:
    path = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(path.read_text().split()) if path.exists() else set()
