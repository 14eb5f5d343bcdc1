"""Runs the ffmpeg program with limits on time, memory, files and output, and without network.

Its input may be hostile: it gets no terminal, no environment but PATH, named protocols only, and its own process group,
which is killed as a whole.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, Final

import imageio_ffmpeg
from attrs import frozen

try:
    from resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_CPU, RLIMIT_FSIZE, prlimit
except ImportError:  # only Linux has prlimit: elsewhere only time and output are limited
    prlimit = None  # type: ignore[assignment]

STDERR_TAIL_BYTES: Final = 2_000
_CHUNK_BYTES: Final = 1 << 16
_POLL_S: Final = 0.1
_MIB: Final = 1 << 20


class FfmpegError(Exception):
    """ffmpeg could not be started, failed, or was killed; the message ends with the tail of its stderr."""


class FfmpegStopped(FfmpegError):
    """The caller asked to stop."""


@frozen(kw_only=True)
class Limits:
    """Limits of a run: wall clock and processor time in seconds; address space, file size and stdout in bytes.

    ffmpeg's address space is several times the memory that it uses, since the stack of each thread counts.
    """

    seconds: float = 60.0
    cpu_seconds: int = 120
    memory_bytes: int = 2048 * _MIB
    file_bytes: int = 2048 * _MIB
    output_bytes: int = 256 * _MIB


def ffmpeg_path() -> str:
    """Return the path of ffmpeg. Raises FfmpegError where it is missing."""
    try:
        path: str = imageio_ffmpeg.get_ffmpeg_exe()
    except (OSError, RuntimeError) as error:
        raise FfmpegError(f"ffmpeg is missing ({error}): reinstall imageio-ffmpeg") from error
    return path


def run(
    arguments: Sequence[str],
    *,
    limits: Limits = Limits(),
    protocols: Sequence[str] = ("pipe",),
    folder: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bytes:
    """Run ffmpeg and return its stdout. `arguments` follow general options; inputs may use only `protocols`.

    `folder` is the working directory. Blocking. Raises FfmpegError, or FfmpegStopped once `should_stop()` is true; no
    process remains after either.
    """
    # -protocol_whitelist is an option of each input.
    guarded = [
        text
        for argument in arguments
        for text in ((["-protocol_whitelist", ",".join(protocols)] if argument == "-i" else []) + [argument])
    ]
    command = [ffmpeg_path(), "-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-y", *guarded]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", "")},
            start_new_session=True,
        )
    except OSError as error:
        raise FfmpegError(f"ffmpeg can't be started: {error}") from error
    with process:
        try:
            _limit(process.pid, limits)
            output = _followed(process, limits, should_stop)
        finally:
            _end(process)
    return output


def _limit(pid: int, limits: Limits) -> None:
    """Set limits from outside, after the start: code between fork and exec is unsafe with threads (decision 106)."""
    if prlimit is None:
        return
    wanted = {RLIMIT_AS: limits.memory_bytes, RLIMIT_FSIZE: limits.file_bytes, RLIMIT_CPU: limits.cpu_seconds}
    try:
        for kind, most in wanted.items():
            hard = prlimit(pid, kind)[1]
            most = most if hard == RLIM_INFINITY else min(most, hard)
            prlimit(pid, kind, (most, most))
    except ProcessLookupError:
        return  # it has ended already
    except (OSError, ValueError) as error:
        raise FfmpegError(f"ffmpeg can't be limited: {error}") from error


def _followed(process: "subprocess.Popen[bytes]", limits: Limits, should_stop: Callable[[], bool]) -> bytes:
    assert process.stdout is not None
    assert process.stderr is not None
    output, errors = _Reader(process.stdout, limits.output_bytes), _Reader(process.stderr, STDERR_TAIL_BYTES, tail=True)
    deadline, why = monotonic() + limits.seconds, ""
    while process.poll() is None and not why:
        if should_stop():
            raise FfmpegStopped("ffmpeg was stopped by the caller")
        if monotonic() > deadline:
            why = f"ffmpeg took longer than {limits.seconds:g} s"
        elif output.too_much:
            why = f"ffmpeg wrote more than {limits.output_bytes} bytes to stdout"
        else:
            output.thread.join(_POLL_S)
            if not output.thread.is_alive():
                _wait(process)
    _end(process)
    output.thread.join()
    errors.thread.join()
    if not why and output.too_much:
        why = f"ffmpeg gave more than {limits.output_bytes} bytes"
    if why or process.returncode:
        said = errors.data.decode("utf-8", "replace").strip()
        raise FfmpegError(f"{why or _ending(process.returncode)}{': ' + said if said else ''}")
    return bytes(output.data)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return  # its stdout is closed, but it still runs


def _ending(code: int) -> str:
    if code >= 0:
        return f"ffmpeg exited with code {code}"
    reasons = {signal.SIGXCPU: "took too much processor time", signal.SIGXFSZ: "wrote too large a file"}
    return f"ffmpeg {reasons.get(signal.Signals(-code), f'was killed by {signal.Signals(-code).name}')}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the whole process group, so that no child remains."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class _Reader:
    """Reads a pipe in a thread: the first `most` bytes, or with `tail` the last ones."""

    def __init__(self, pipe: IO[bytes], most: int, *, tail: bool = False) -> None:
        self._pipe, self._most, self._tail = pipe, most, tail
        self.data = bytearray()
        self.too_much = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while chunk := self._pipe.read1(_CHUNK_BYTES):  # type: ignore[attr-defined]
            if self.too_much:
                continue
            self.data += chunk
            if len(self.data) > self._most:
                if self._tail:
                    del self.data[: -self._most]
                else:
                    self.too_much = True
                    self.data.clear()
