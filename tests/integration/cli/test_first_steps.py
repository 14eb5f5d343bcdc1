"""The first minutes: what `eventflow up` shows on a terminal, and commands that find it without being told where."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from attrs import define

from ops.cli.greeting import Started, greeting
from tests.integration.cli.conftest import Running, rows, start_stack
from tests.support.programs import END_S, START_S, Programs

#: Whole deployments, and several commands in each.
pytestmark = pytest.mark.chaos


@define
class Terminal:
    """A command on a terminal of its own, and what it has shown."""

    process: subprocess.Popen[bytes]
    master: int
    shown: str = ""

    def read_until(self, text: str, timeout_s: float) -> str:
        until = monotonic() + timeout_s
        while text not in self.shown and self._read():
            assert monotonic() < until, self.shown
        assert text in self.shown, self.shown
        return self.shown

    def end(self) -> int:
        """SIGTERM; the exit code. What is shown is read to its end: a full terminal would hold up its writers."""
        self.process.send_signal(signal.SIGTERM)
        until = monotonic() + END_S
        while self._read():
            assert monotonic() < until, self.shown
        return self.process.wait(END_S)

    def _read(self) -> bool:
        """Whether there may be more to read."""
        if select.select([self.master], [], [], 0.2)[0]:
            try:
                self.shown += os.read(self.master, 65_536).decode(errors="replace").replace("\r\n", "\n")
            except OSError:  # the last process has closed the terminal
                return False
        return True


@contextmanager
def terminal(programs: Programs, *arguments: str, columns: int = 80, **settings: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    environment = {**programs._environment(settings), "TERM": "xterm", "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ops.cli", *arguments],
        cwd=programs.folder,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(END_S)
        os.close(master)


def test_up_says_where_it_is_and_what_to_do_and_the_others_find_it(programs: Programs, tmp_path: Path) -> None:
    with terminal(programs, "up", "--port", "0", "--data-dir", str(tmp_path / "data")) as up:
        text = up.read_until("Ctrl-C ends it", START_S)
        found = re.search(r"^eventflow is ready at (http://127\.0\.0\.1:\d+)$", text, re.MULTILINE)
        assert found, text
        assert f"data      {tmp_path / 'data'}" in text
        assert "4, each up to 2 steps at a time: generation, upload, metadata, archive" in text
        assert '"event"' not in text, "logs are for people, too"

        none = programs.run("jobs", "list")
        assert (none.code, none.out, none.err) == (0, "", "no jobs yet\n")
        script = tmp_path / "hello.md"
        script.write_text("# Hello\n\nMy first video.\n")
        made = programs.run("generate", str(script), "--pipeline", "simulation", "--quality", "360p", "--wait")
        assert made.code == 0, made.err
        assert found[1] in made.out
        (job,) = rows(programs.run("jobs", "--json").out)
        assert rows(programs.run("keys", "list").out) == []
        checked = json.loads(programs.run("doctor", "--json").out)
        assert {"part": "log server", "state": "ok"}.items() <= checked["findings"][3].items()
        with terminal(programs, "jobs", "events", job["id"]) as events:
            lines = events.read_until("VideoPublished", START_S).splitlines()
        assert max(map(len, (re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in lines))) <= 80
        assert len(lines) <= job["version"] + 2, "a line each, and the heading"

        assert up.end() == 0, up.shown
    assert not list((tmp_path / "state").rglob("*.json"))
    gone = programs.run("jobs", "list")
    assert gone.code == 1
    assert "`eventflow up`" in gone.err


def test_json_logs_are_kept_where_they_are_asked_for(programs: Programs, tmp_path: Path) -> None:
    order = ("up", "--port", "0", "--data-dir", str(tmp_path / "data"))
    with terminal(programs, *order, EVENTFLOW_LOG_FORMAT="json") as up:
        text = up.read_until("ready http://", START_S)
        assert '"event"' in text
        assert up.end() == 0, up.shown


def test_the_lines_for_a_stack_that_needs_a_key_or_is_not_found() -> None:
    def text(*, is_open: bool, is_found: bool) -> str:
        started = Started(
            url="http://host:1",
            data_dir=Path("data dir"),
            groups=("generation",),
            concurrency=1,
            is_open=is_open,
            is_found=is_found,
        )
        return "\n".join(greeting(started, "eventflow"))

    plain = text(is_open=True, is_found=True)
    assert "EVENTFLOW_API_KEY" not in plain
    assert "--url" not in plain
    assert max(map(len, plain.splitlines())) <= 80
    careful = text(is_open=False, is_found=False)
    assert "EVENTFLOW_API_KEY=$(eventflow keys add me --data-dir 'data dir')" in careful
    assert "generate - --output hello.mp4 --url http://host:1" in careful


def test_jobs_over_http_show_what_the_log_shows(programs: Programs, stack: Running, tmp_path: Path) -> None:
    service, log = {"EVENTFLOW_URL": stack.url}, {"EVENTFLOW_DATA_DIR": str(stack.data_dir)}
    (tmp_path / "script.md").write_text("# Hello")
    options = ("--pipeline", "simulation", "--quality", "360p", "--passthrough", '{"n": 1}', "--retry-attempts", "1")
    switches = ("--no-thumbnail-generation", "--priority", "high", "--idempotency-key", f"key-{tmp_path.name}")
    made = programs.run("generate", "script.md", *options, *switches, "--wait", **service)
    assert made.code == 0, made.err
    again = programs.run("generate", "script.md", *options, *switches, **service)
    assert again.out.split()[1] == made.out.split()[1], "one job for one key"
    job = made.out.split()[1]

    def listed(**where: str) -> dict[str, object]:
        return next(row for row in rows(programs.run("jobs", "list", "--json", **where).out) if row["id"] == job)

    assert listed(**service) == listed(**log)
    for command in ("events", "status"):
        over_http, in_log = (programs.run("jobs", command, job, "--json", **where) for where in (service, log))
        assert over_http.code == 0, over_http.err
        assert rows(over_http.out) == rows(in_log.out)
        assert programs.run("jobs", command, job, **service).out == programs.run("jobs", command, job, **log).out
    status = json.loads(programs.run("jobs", "status", job, "--json", **service).out)
    assert status["passthrough"] == {"n": 1}
    assert programs.run("jobs", "cancel", job, **service).code == 1
    saved = programs.run("jobs", "download", job, "--output", "film.mp4", **service)
    assert saved.code == 0, saved.err
    assert b"ftyp" in (tmp_path / "film.mp4").read_bytes()[:16]
    order = ("jobs", "reprocess", job, "--from", "metadata", "--wait")
    repeated = programs.run(*order, **service)
    assert repeated.code == 0, repeated.err
    assert "reprocessing from metadata" in repeated.out
    dry = programs.run(*order, "--dry-run", "--url", stack.url)
    assert (dry.code, "--dry-run needs the log" in dry.err) == (2, True)
    deleted = programs.run("jobs", "delete", job, "--yes", **service)
    assert deleted.code == 0, deleted.err
    assert "deletion requested" in deleted.out


def test_what_needs_the_log_says_that_a_url_does_not_lead_there(programs: Programs, stack: Running) -> None:
    only_http = {"EVENTFLOW_URL": stack.url, "EVENTFLOW_REDIS_URL": "redis://127.0.0.1:1/0"}
    for command in (("groups", "list"), ("keys", "list"), ("jobs", "fork", "00-" + "0" * 32, "--at", "1")):
        refused = programs.run(*command, **only_http)
        assert refused.code == 1, refused.out
        assert "EVENTFLOW_URL doesn't help: this command reads the log" in refused.err


def test_another_owners_jobs_need_the_scope_or_the_log(programs: Programs, tmp_path: Path) -> None:
    running = start_stack(programs, tmp_path / "data")
    log = {"EVENTFLOW_DATA_DIR": str(running.data_dir)}
    alice = programs.run("keys", "add", "alice", **log).out.strip()
    admin = programs.run("keys", "add", "root", "--admin", **log).out.strip()
    (tmp_path / "script.md").write_text("# Hello")
    at = ("--url", running.url)
    order = ("--pipeline", "simulation", "--quality", "360p", "--wait")
    made = programs.run("generate", "script.md", *order, *at, EVENTFLOW_API_KEY=alice)
    assert made.code == 0, made.err
    job = made.out.split()[1]
    assert programs.run("jobs", "list", *at, EVENTFLOW_API_KEY=admin).err == "no jobs yet\n"
    everybody = programs.run("jobs", "list", "--owner", "*", "--json", *at, EVENTFLOW_API_KEY=admin)
    assert [row["owner"] for row in rows(everybody.out)] == ["alice"]
    assert programs.run("jobs", "status", job, *at, EVENTFLOW_API_KEY=admin).code == 0
    keyless = programs.run("jobs", "list", *at)
    assert (keyless.code, "EVENTFLOW_API_KEY" in keyless.err) == (1, True)
    refused = programs.run("dead-letters", "list", *at, EVENTFLOW_API_KEY=alice)
    assert (refused.code, "admin scope" in refused.err) == (1, True)
