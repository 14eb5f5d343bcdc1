"""`eventflow jobs reprocess` and `fork`, as an operator runs them on a running stack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.cli.conftest import Running, get_json, rows
from tests.support.command_server import CommandServer
from tests.support.programs import Finished, Programs, programs_in
from tests.support.waiting import wait_until_sync


@pytest.fixture(scope="module")
def job(stack: Running, commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A published job of three scenes, whose workspace is cleared. Tests leave it published."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "script.md").write_text("# Hello")
    with programs_in(folder, commands) as programs:
        order = ("--pipeline", "simulation", "--quality", "360p", "--wait")
        made = programs.run("generate", "script.md", "--url", stack.url, *order)
        assert made.code == 0, made.err
        yield made.out.split()[1]


def jobs(programs: Programs, stack: Running, *arguments: str) -> Finished:
    return programs.run("jobs", *arguments, EVENTFLOW_DATA_DIR=str(stack.data_dir))


def events(programs: Programs, stack: Running, job: str) -> list[str]:
    listed = programs.run("jobs", "events", job, "--json", EVENTFLOW_DATA_DIR=str(stack.data_dir))
    return [event["type"] for event in rows(listed.out)]


def until_published(stack: Running, job: str) -> None:
    def done() -> bool:
        return bool(get_json(f"{stack.url}/api/v1/videos/jobs/{job}/status")["status"] == "completed")

    wait_until_sync(done, 60, what="the job is published")


def test_reprocess_says_what_it_would_do_then_does_it(programs: Programs, stack: Running, job: str) -> None:
    before = events(programs, stack, job)
    order = ("reprocess", job, "--from", "rendering", "--scenes", "1")
    dry = jobs(programs, stack, *order, "--dry-run")
    assert dry.code == 0, dry.err
    steps = [line.split("\t") for line in dry.out.splitlines()]
    assert steps == [
        ["plan", ""],  # the workspace is cleared
        ["render_scene", "1"],
        ["upload_scene", "1"],
        ["assemble", ""],
        ["upload_video", ""],
        ["extract_metadata", ""],
    ]
    assert events(programs, stack, job) == before

    done = jobs(programs, stack, *order, "--wait")
    assert done.code == 0, done.err
    assert "reprocessing from rendering" in done.out
    assert "100.0 %  completed" in done.err
    types = events(programs, stack, job)[len(before) :]
    assert types.count("SceneRendered") == 1
    assert types.count("SceneReused") == 2
    assert types.count("VideoPublished") == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--from", "cooking"), 2, "planning"),
        (("--from", "rendering", "--scenes", "9"), 1, "--scenes: the job has no scene 9; available: 0 to 2"),
        (("--from", "metadata", "--scenes", "0"), 1, "leave the scenes out"),
        (("--from", "upload", "--scenes", "two"), 2, "it looks like 2,5"),
    ],
)
def test_mistakes_of_reprocess(
    programs: Programs, stack: Running, job: str, options: tuple[str, ...], code: int, said: str
) -> None:
    ended = jobs(programs, stack, "reprocess", job, *options)
    assert (ended.code, "Traceback" in ended.err) == (code, False)
    assert said in ended.err


def test_a_fork_is_made_once(programs: Programs, stack: Running, job: str) -> None:
    version = str(len(events(programs, stack, job)))
    order = ("fork", job, "--at", version, "--set", "thumbnail_generation=false", "--set", "retry_attempts=1")
    dry = jobs(programs, stack, *order, "--dry-run")
    assert dry.code == 0, dry.err
    assert [line.split("\t")[:2] for line in dry.out.splitlines()] == [[str(i), "reused"] for i in range(3)]
    first = jobs(programs, stack, *order)
    assert first.code == 0, first.err
    fork = first.out.strip()
    assert fork in dry.err
    assert fork != job
    second = jobs(programs, stack, *order)
    assert (second.code, second.out.strip()) == (0, fork)
    assert "was forked already" in second.err
    until_published(stack, fork)
    types = events(programs, stack, fork)
    assert types.count("SceneReused") == 3
    assert "ScenePlanned" not in types
    metadata = get_json(f"{stack.url}/api/v1/videos/jobs/{fork}/metadata")
    assert metadata["thumbnail_urls"] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--at", "999"), "--at: the job has the versions 1 to"),
        (("--at", "1", "--set", "quality_levels=9p"), "/quality_levels/0: unknown quality '9p'"),
        (("--at", "1", "--set", "colour=red"), "field 'colour'"),
        (("--at", "1", "--set", "voice"), "it looks like quality_levels=720p"),
        (("--at", "1", "--set", "script=@missing.md"), "missing.md can't be read"),
    ],
)
def test_mistakes_of_fork(programs: Programs, stack: Running, job: str, options: tuple[str, ...], said: str) -> None:
    ended = jobs(programs, stack, "fork", job, *options)
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert said in ended.err
