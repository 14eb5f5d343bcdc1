"""`eventflow parked`: what operators see and do."""

from __future__ import annotations

import json
import secrets

import redis as sync_redis

from tests.support.programs import Programs

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

    listed = [json.loads(line) for line in programs.run("parked", "list", "--json", **here).out.splitlines()]
    assert [row["id"] for row in listed] == [last, other, odd]
    assert [row["attempts"] for row in listed] == [2, 2, 2]
    picked = programs.run("parked", "list", "--reason", "ODD", **here).out
    assert [line.split("\t")[0] for line in picked.splitlines()] == [last, odd]

    shown = programs.run("parked", "show", odd, **here)
    assert shown.code == 0, shown.err
    for text in ("Odd one", "VideoTeleported", r"\xff", "why", "unknown", "generation"):
        assert text in shown.out

    assert programs.run("parked", "redrive", other, **here).code == 0
    again = programs.run("parked", "redrive", other, **here)
    assert again.code == 1
    assert "unknown dead letter" in again.err
    assert "eventflow parked list" in again.err

    unsure = programs.run("parked", "drop", odd, **here)
    assert unsure.code == 1
    assert "will fail" in unsure.err
    dropped = programs.run("parked", "drop", "--all", "--reason", "odd", "--yes", **here)
    assert dropped.code == 0, dropped.err
    assert len(dropped.out.splitlines()) == 2
    assert programs.run("parked", "list", **here).out == ""
    for wrong in (("redrive",), ("redrive", odd, "--all"), ("drop", odd, "--reason", "x")):
        assert programs.run("parked", *wrong, **here).code == 2
