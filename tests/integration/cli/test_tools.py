"""The other commands: what they say, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.cli.settings import markdown_tables
from tests.integration.cli.conftest import Running, rows, start_stack
from tests.support.programs import Programs
from tests.support.waiting import wait_until_sync


def test_keys_open_the_door_and_close_it_again(programs: Programs, tmp_path: Path) -> None:
    """On a stack of its own: from its first key on it needs one, for good."""
    stack = start_stack(programs, tmp_path / "data")
    here = {"EVENTFLOW_DATA_DIR": str(stack.data_dir)}
    script = tmp_path / "script.md"
    script.write_text("# Hello")
    order = ("generate", str(script), "--url", stack.url, "--pipeline", "simulation", "--quality", "360p")
    assert "no key yet" in programs.run("keys", "list", **here).err
    assert programs.run(*order).code == 0

    added = programs.run("keys", "add", "alice", "--admin", "--data-dir", str(stack.data_dir))
    token = added.out.strip()
    identity = token.split("_")[1]
    assert added.code == 0
    listed = programs.run("keys", "list", **here)
    assert identity in listed.out
    assert "alice" in listed.out
    assert "admin" in listed.out
    assert token not in listed.out
    refused = wait_until_sync(
        lambda: found if (found := programs.run(*order)).code else None, 10, what="the closed door"
    )
    assert refused.code == 1
    assert "EVENTFLOW_API_KEY" in refused.err
    made = programs.run(*order, EVENTFLOW_API_KEY=token)
    assert made.code == 0, made.err
    assert rows(programs.run("jobs", "--json", "--limit", "1", **here).out)[0]["owner"] == "alice"

    asked = programs.run("keys", "revoke", identity, **here)
    assert asked.code == 1
    assert "the last key" in asked.err
    assert identity in programs.run("keys", "list", **here).out
    revoked = programs.run("keys", "revoke", identity, "--yes", **here)
    assert revoked.code == 0, revoked.err
    left = programs.run("keys", "list", **here)
    assert identity not in left.out
    assert "no key left" in left.err
    assert programs.run("keys", "revoke", identity, **here).code == 1
    assert "keys add" in programs.run(*order).err
    wait_until_sync(lambda: "no API key is left" in stack.up.err, 10, what="a line of the log")
    assert "every request is answered 401" in programs.run("doctor", **here).out


def test_jobs_events_and_cancel_read_the_log(programs: Programs, stack: Running, tmp_path: Path) -> None:
    here = {"EVENTFLOW_DATA_DIR": str(stack.data_dir)}
    script = tmp_path / "script.md"
    script.write_text("# Hello")
    for _ in range(2):
        made = programs.run(
            "generate", str(script), "--url", stack.url, "--pipeline", "simulation", "--quality", "360p", "--wait"
        )
        assert made.code == 0, made.err
    job_id = made.out.split()[1]

    listed = rows(programs.run("jobs", "--json", **here).out)
    assert listed[0]["id"] == job_id
    assert (listed[0]["status"], listed[0]["progress"]) == ("completed", 100.0)
    assert [job["created_at"] for job in listed] == sorted((job["created_at"] for job in listed), reverse=True)
    assert len(rows(programs.run("jobs", "--json", "--limit", "1", **here).out)) == 1
    rebuilt = programs.run("jobs", "--json", "--owner", "local", "--rebuild", **here)
    assert rows(rebuilt.out) == [job for job in listed if job["owner"] == "local"]
    assert rebuilt.err == "0 jobs were missing from the lists\n"
    assert programs.run("jobs", "--json", "--owner", "nobody", **here).out == ""

    history = programs.run("jobs", "events", job_id, **here)
    assert history.out.splitlines()[0].split("\t")[2] == "VideoRequested"
    assert history.out.splitlines()[-1].split("\t")[2] == "VideoPublished"

    cancelled = programs.run("jobs", "cancel", job_id, **here)
    assert cancelled.code == 1
    assert "has ended already" in cancelled.err


def test_delete_removes_what_a_job_left(programs: Programs, stack: Running, tmp_path: Path) -> None:
    here = {"EVENTFLOW_DATA_DIR": str(stack.data_dir)}
    script = tmp_path / "script.md"
    script.write_text("# Hello")
    made = programs.run(
        "generate", str(script), "--url", stack.url, "--pipeline", "simulation", "--quality", "360p", "--wait"
    )
    assert made.code == 0, made.err
    job_id = made.out.split()[1]

    def types() -> list[str]:
        return [line.split("\t")[2] for line in programs.run("jobs", "events", job_id, **here).out.splitlines()]

    unconfirmed = programs.run("jobs", "delete", job_id, **here)
    assert unconfirmed.code == 1
    assert "DeletionRequested" not in types()
    asked = programs.run("jobs", "delete", job_id, "--yes", **here)
    assert (asked.code, "deletion requested" in asked.err + asked.out) == (0, True), asked.err
    wait_until_sync(lambda: types()[-1] == "JobDeleted")
    assert job_id not in programs.run("jobs", "--json", **here).out
    again = programs.run("jobs", "delete", job_id, "--yes", **here)
    assert again.code == 0, "what is deleted stays so"
    cancelled = programs.run("jobs", "cancel", job_id, **here)
    assert cancelled.code == 1
    assert "Traceback" not in cancelled.err
    missing = programs.run("jobs", "delete", "00-" + "0" * 32, "--yes", **here)
    assert missing.code == 1
    assert "unknown job" in missing.err


def test_warnings_of_a_script_are_told_when_its_video_is_there(
    programs: Programs, tmp_path: Path, stack: Running
) -> None:
    script = tmp_path / "script.md"
    script.write_text("---\nlayout: post\nvoice: none\n---\n# Hello <!-- there")
    made = programs.run("generate", str(script), "--url", stack.url, "--quality", "360p", "--wait")
    assert made.code == 0, made.err
    told = [line for line in made.out.splitlines() if line.startswith("warning ")]
    assert len(told) == 2
    assert "'layout' (line 2)" in told[0]
    assert "the comment that begins on line 5 has no end" in told[1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("worker", "--group", "painters"), 2, "available: generation, upload, metadata"),
        (("worker", "--group", "upload", "--topic", "planned"), 2, "it reads: rendered, generated"),
        (("worker",), 2, "--group"),
        (("events", "../etc"), 2, "isn't a job id"),
        (("generate", "missing.md"), 2, "missing.md can't be read"),
        (("generate", "script.md", "--url", "http://127.0.0.1:1"), 1, "Is it running?"),
        (("generate", "script.md", "--url", "nowhere"), 2, "it looks like"),
        (("keys", "add", "a b"), 2, "an owner is"),
        (("jobs",), 1, "--data-dir"),
        (("sing",), 2, "No such command"),
    ],
)
def test_mistakes_get_a_line_and_a_way_out(
    programs: Programs, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (tmp_path / "script.md").write_text("# Hello")
    url = {} if arguments[0] not in ("jobs", "keys") else {"EVENTFLOW_REDIS_URL": "redis://127.0.0.1:1/0"}
    ended = programs.run(*arguments, **url)
    assert ended.code == code, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_what_the_service_refuses_is_said_in_its_words(programs: Programs, stack: Running, tmp_path: Path) -> None:
    script = tmp_path / "script.md"
    script.write_text("# Hello")
    refused = programs.run("generate", str(script), "--url", stack.url, "--quality", "9000p")
    assert refused.code == 1
    assert "quality_levels" in refused.err
    script.write_bytes(b"\xff\xfe\x00")
    refused = programs.run("generate", str(script), "--url", stack.url)
    assert refused.code == 2
    assert "isn't UTF-8" in refused.err


def test_every_wrong_setting_is_listed(programs: Programs) -> None:
    wrong = {"EVENTFLOW_PORT": "http", "EVENTFLOW_CONCURRENCY": "0", "EVENTFLOW_COLOUR": "red"}
    for command in (("web",), ("worker", "--group", "upload"), ("up",), ("jobs",)):
        ended = programs.run(*command, **wrong)
        assert ended.code == 2
        assert all(name in ended.err for name in wrong)
        assert "Traceback" not in ended.err


def test_an_old_name_of_a_setting_gets_one_line_that_names_the_new_one(programs: Programs) -> None:
    old = {"EVENTFLOW_MEDIA_RETENTION_DAYS": "30"}
    ended = programs.run("doctor", "--json", **old)
    assert json.loads(ended.out)["findings"][1]["state"] == "ok"
    (line,) = ended.err.splitlines()
    assert "EVENTFLOW_MEDIA_RETENTION_DAYS is now called EVENTFLOW_DELETE_AFTER_DAYS" in line
    both = programs.run("jobs", **old, EVENTFLOW_DELETE_AFTER_DAYS="30")
    assert both.code == 2
    assert len(both.err.splitlines()) == 1
    assert all(name in both.err for name in (*old, "EVENTFLOW_DELETE_AFTER_DAYS"))


def test_settings_prints_the_tables(programs: Programs) -> None:
    ended = programs.run("settings")
    assert ended.code == 0
    assert ended.out == markdown_tables() + "\n"
    assert "### Web process" in ended.out
    assert "| `EVENTFLOW_PORT` | `8080` | 0 to 65535 |" in ended.out


def test_the_doctor_finds_a_running_stack_well(programs: Programs, stack: Running) -> None:
    ended = programs.run("doctor", "--json", EVENTFLOW_DATA_DIR=str(stack.data_dir))
    report = json.loads(ended.out)
    assert ended.code == 0, report
    found = {finding["part"]: finding["state"] for finding in report["findings"]}
    assert "fail" not in found.values()
    for part in (
        "API keys",
        "log server",
        "log scripts",
        "append-only file",
        "group generation",
        "delivery store",
        "typst",
    ):
        assert found[part] == "ok", part


def test_the_doctor_says_how_to_mend_what_is_broken(programs: Programs, tmp_path: Path, valkey_url: str) -> None:
    (tmp_path / "file").write_text("in the way")
    broken = {
        "EVENTFLOW_REDIS_URL": "redis://127.0.0.1:1/0",
        "EVENTFLOW_DELIVERY_URL": (tmp_path / "file" / "store").as_uri(),
    }
    ended = programs.run("doctor", "--json", **broken)
    failed = {f["part"]: f["remedy"] for f in json.loads(ended.out)["findings"] if f["state"] == "fail"}
    assert ended.code == 1
    assert set(failed) == {"log server", "delivery store"}
    assert all(failed.values())

    wrong = programs.run("doctor", EVENTFLOW_PORT="http")
    assert wrong.code == 1
    assert "EVENTFLOW_PORT" in wrong.out

    bare = programs.run("doctor", EVENTFLOW_REDIS_URL=valkey_url)
    assert bare.code == 0, bare.out
    assert "warn  append-only file" in bare.out
    assert "warn  group upload" in bare.out


def test_the_doctor_sees_a_worker_that_has_paused(programs: Programs, valkey_url: str) -> None:
    here = {"EVENTFLOW_REDIS_URL": valkey_url, "EVENTFLOW_MAX_MEMORY_MB": "1"}
    worker = programs.start("worker", "--group", "metadata", **here)

    def found() -> str:
        report = json.loads(programs.run("doctor", "--json", **here).out)
        [pressure] = [f for f in report["findings"] if f["part"] == "backpressure"]
        return pressure["found"] if pressure["state"] == "warn" else ""

    assert "(metadata): this process uses" in wait_until_sync(found, what="the note of the paused worker")
    assert "worker paused: it takes nothing new" in worker.err
    worker.process.terminate()
    assert worker.wait().code == 0
