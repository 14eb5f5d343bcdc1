"""`eventflow dead-letters`: what operators see and do, in the log and over HTTP."""

from __future__ import annotations

import json
import secrets

import redis as sync_redis

from tests.integration.cli.conftest import Running
from tests.support.programs import Programs
from tests.support.waiting import wait_until_sync

RAW = b'{"type": "VideoTeleported", "n": \xff}'


def _park(url: str, namespace: str, reason: str, *, group: str = "generation") -> str:
    base = f"{namespace}:{{00}}:"
    fields = {"e": RAW, "stream": f"{base}topic:requested:normal", "group": group, "entry": "1-1", "count": "2"}
    with sync_redis.Redis.from_url(url) as client:
        entry = client.xadd(base + "parked", {**fields, "at": "2026-01-01T00:00:00Z", "reason": reason, "cause": "why"})
    return f"00-{entry.decode()}"


def test_list_show_redrive_and_drop(programs: Programs, valkey_url: str) -> None:
    here = {"EVENTFLOW_REDIS_URL": valkey_url, "EVENTFLOW_NAMESPACE": f"t{secrets.token_hex(4)}"}
    odd, other, last = [_park(valkey_url, here["EVENTFLOW_NAMESPACE"], r) for r in ("Odd one", "other", "odd too")]

    listed = [json.loads(line) for line in programs.run("dead-letters", "list", "--json", **here).out.splitlines()]
    assert [row["id"] for row in listed] == [last, other, odd]
    assert [row["attempts"] for row in listed] == [2, 2, 2]
    picked = programs.run("dead-letters", "list", "--reason", "ODD", **here).out
    assert [line.split("\t")[0] for line in picked.splitlines()] == [last, odd]

    shown = programs.run("dead-letters", "show", odd, **here)
    assert shown.code == 0, shown.err
    for text in ("Odd one", "VideoTeleported", r"\xff", "why", "unknown", "generation"):
        assert text in shown.out

    assert programs.run("dead-letters", "redrive", other, **here).code == 0
    again = programs.run("dead-letters", "redrive", other, **here)
    assert again.code == 1
    assert "unknown dead letter" in again.err
    assert "eventflow dead-letters list" in again.err

    unsure = programs.run("dead-letters", "drop", odd, **here)
    assert unsure.code == 1
    assert "will fail" in unsure.err
    dropped = programs.run("dead-letters", "drop", "--all", "--reason", "odd", "--yes", **here)
    assert dropped.code == 0, dropped.err
    assert len(dropped.out.splitlines()) == 2
    assert programs.run("dead-letters", "list", **here).out == ""
    for wrong in (("redrive",), ("redrive", odd, "--all"), ("drop", odd, "--reason", "x")):
        assert programs.run("dead-letters", *wrong, **here).code == 2


def test_over_http_they_look_the_same(programs: Programs, stack: Running) -> None:
    log_url = (stack.data_dir / "valkey" / "url").read_text().strip()
    log, service = {"EVENTFLOW_DATA_DIR": str(stack.data_dir)}, {"EVENTFLOW_URL": stack.url}
    odd, even = (_park(log_url, "ef", reason) for reason in ("odd", "even"))

    def letters(*arguments: str, **where: str) -> str:
        return programs.run("dead-letters", *arguments, **where).out

    for command in (("list", "--json"), ("list",), ("show", odd), ("show", odd, "--json")):
        assert letters(*command, **service) == letters(*command, **log)
    assert "VideoTeleported" in letters("show", odd, **service)
    assert letters("redrive", even, **service) == f"redriven {even}\n"
    missing = programs.run("dead-letters", "redrive", "00-1-1", **service)
    assert missing.code == 1
    dropped = programs.run("dead-letters", "drop", odd, "--yes", **service)
    assert (dropped.code, f"dropped {odd}" in dropped.out) == (0, True), dropped.err
    wait_until_sync(lambda: letters("list", **log), what="the redriven delivery, which its group gives up again")
    cleared = programs.run("dead-letters", "drop", "--all", "--yes", **log)
    assert cleared.code == 0, cleared.err
