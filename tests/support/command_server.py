"""Runs commands in processes that are forked from one that has loaded the program.

Each is a process of its own, in a session, folder and environment of its own, and ends as `python -m ops.cli` does; it
only needn't load everything first, which takes longer than most commands. One request at a time, a line of JSON on
standard input: arguments, environment, folder, out and err (files that are to be written). The answer is a line with
the exit code.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field

ROOT = Path(__file__).parents[2]


@define
class CommandServer:
    process: subprocess.Popen[str]
    _turn: threading.Lock = field(factory=threading.Lock)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        files: tuple[Path, Path],
        timeout_s: float,
    ) -> int:
        """The exit code of `eventflow *arguments`, negative for a signal. Raises TimeoutError and ends the server."""
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
        request |= {"out": str(files[0]), "err": str(files[1])}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with self._turn:
            alarm = threading.Timer(timeout_s, self.process.kill)
            alarm.start()
            try:
                self.process.stdin.write(json.dumps(request) + "\n")
                self.process.stdin.flush()
                answer = self.process.stdout.readline()
            finally:
                alarm.cancel()
        if not answer:
            raise TimeoutError(f"eventflow {' '.join(arguments)} hasn't ended within {timeout_s:g} s")
        return int(answer)


@contextmanager
def command_server() -> Iterator[CommandServer]:
    command = [sys.executable, "-m", "tests.support.command_server"]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield CommandServer(process)
    finally:
        process.kill()
        with suppress(BrokenPipeError):
            process.communicate()


def serve() -> None:
    """Until standard input ends. In a child it doesn't come back: SystemExit leaves the program as it always does."""
    from tests.support.log_server import dies_with_parent

    gc.collect()
    gc.freeze()  # so that children don't copy all of it
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in requests:
        child = os.fork()
        if child == 0:
            dies_with_parent()
            answers.close()
            requests.close()
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()


def _become(request: dict[str, Any]) -> None:
    from ops.cli.app import main

    os.setsid()
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["eventflow", *request["arguments"]]
    sys.exit(main(request["arguments"]))


if __name__ == "__main__":
    serve()
