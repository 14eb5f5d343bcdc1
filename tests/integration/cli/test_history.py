"""`eventflow jobs history` and `eventflow projections rebuild` as commands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from eventflow.domain import commands as cmd
from eventflow.domain.topics import Topic
from tests.integration.cli.conftest import Running, rows
from tests.support.programs import Programs
from tests.support.runtime import Space, open_space

GONE = "00-" + "ab" * 16


@pytest.fixture
async def space(valkey_url: str) -> AsyncIterator[Space]:
    async with open_space(valkey_url, "ef") as space:
        yield space


def at(space: Space) -> dict[str, str]:
    return {"EVENTFLOW_REDIS_URL": space.url}


async def test_history_as_of_a_version_or_a_time(programs: Programs, space: Space) -> None:
    job_id = await space.submit_scenes(2)
    await space.do(job_id, cmd.FinishScene(scene=0, run=1, renditions=()))
    history = await space.history(job_id)

    whole = json.loads(programs.run("jobs", "history", job_id, "--json", **at(space)).out)
    assert (whole["version"], whole["last_version"]) == (6, 6)
    assert whole["events"] == [json.loads(space.log.codec.encode(envelope)) for envelope in history]
    assert (whole["state"]["stage"], whole["state"]["scenes"]["rendered"]) == ("rendering", 1)

    earlier = json.loads(programs.run("jobs", "history", job_id, "--at-version", "3", "--json", **at(space)).out)
    assert (earlier["version"], earlier["last_version"], len(earlier["events"])) == (3, 6, 3)
    assert (earlier["state"]["stage"], earlier["state"]["scenes"]["total"]) == ("planning", 2)

    time = history[0].occurred_at.isoformat().replace("+00:00", "Z")
    first = json.loads(programs.run("jobs", "history", job_id, "--at-time", time, "--json", **at(space)).out)
    assert (first["state"]["status"], first["state"]["created_at"]) == ("queued", time)

    told = programs.run("jobs", "history", job_id, "--at-version", "3", **at(space)).out
    lines = [line.split("\t") for line in told.splitlines()]
    assert [line[2] for line in lines[:3]] == ["VideoRequested", "PlanningStarted", "ScriptPlanned"]
    assert ["version", "3"] in lines
    assert ["stage", "planning"] in lines


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--at-version", "7"), 2, "available: 1 to 5"),
        (("--at-version", "0"), 2, "--at-version"),
        (("--at-version", "1", "--at-time", "2026-01-01T00:00:00Z"), 2, "exclude each other"),
        (("--at-time", "2020-01-01T00:00:00Z"), 2, "its first event is of 20"),
        (("--at-time", "2026-01-01T00:00:00"), 2, "with its zone"),
        (("--at-time", "yesterday"), 2, "it looks like 2026-03-01T12:00:00Z"),
    ],
)
async def test_moments_that_never_were(
    programs: Programs, space: Space, options: tuple[str, ...], code: int, said: str
) -> None:
    job_id = await space.submit_scenes(2)
    ended = programs.run("jobs", "history", job_id, *options, **at(space))
    assert ended.code == code, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err


async def test_jobs_that_are_none(programs: Programs, space: Space) -> None:
    for command in (("jobs", "history"), ("projections", "rebuild", "--job")):
        ended = programs.run(*command, "../etc", **at(space))
        assert (ended.code, "isn't a job id" in ended.err) == (2, True)
    missing = programs.run("jobs", "history", GONE, **at(space))
    assert (missing.code, "unknown job" in missing.err) == (1, True)
    broken = await space.submit()
    await space.redis.xadd(space.keys.events(broken), {"e": b"{}"}, id="2-0")
    ended = programs.run("jobs", "history", broken, **at(space))
    assert (ended.code, "rebuild --dry-run --job" in ended.err) == (1, True)


async def test_rebuild_finds_mends_and_then_finds_nothing(programs: Programs, space: Space) -> None:
    job_id = await space.submit()
    await space.redis.delete(space.topic(Topic.REQUESTED), space.keys.feed)

    dry = programs.run("projections", "rebuild", "--dry-run", **at(space))
    assert dry.code == 1, dry.err
    assert "nothing was written" in dry.out
    assert job_id in dry.out
    only = rows(programs.run("projections", "rebuild", "--dry-run", "--json", "--job", job_id, **at(space)).out)
    assert [(row["kind"], row["state"]) for row in only[:-1]] == [("stalled", "found"), ("feed", "found")]

    wet = programs.run("projections", "rebuild", "--json", **at(space))
    assert wet.code == 0, wet.err
    total = rows(wet.out)[-1]
    assert total == {
        "jobs": 1,
        "events": 1,
        "found": {"stalled": 1, "feed": 1},
        "mended": {"stalled": 1, "feed": 1},
        "left": 0,
        "dry_run": False,
    }
    again = programs.run("projections", "rebuild", **at(space))
    assert (again.code, again.out) == (0, "1 jobs with 1 events folded; differences: 0\n")


@pytest.mark.parametrize(
    ("url", "code", "said"), [("nowhere", 2, "it looks like"), ("http://127.0.0.1:1", 1, "is it running?")]
)
async def test_a_server_that_can_not_be_asked(programs: Programs, space: Space, url: str, code: int, said: str) -> None:
    await space.submit()
    ended = programs.run("projections", "rebuild", "--url", url, **at(space))
    assert (ended.code, said in ended.err, "Traceback" in ended.err) == (code, True, False), ended.err


def test_a_running_stack_is_sound(programs: Programs, stack: Running) -> None:
    (programs.folder / "script.md").write_text("# Hello")
    made = programs.run(
        "generate", "script.md", "--url", stack.url, "--pipeline", "simulation", "--quality", "360p", "--wait"
    )
    assert made.code == 0, made.err
    ended = programs.run("projections", "rebuild", "--url", stack.url, "--data-dir", str(stack.data_dir))
    assert ended.code == 0, ended.out + ended.err
    assert "differences: 0" in ended.out
