"""DELETE of a job over HTTP: refused while the job runs; afterwards only its status and events are served."""

from __future__ import annotations

from typing import Any

import pytest

from eventflow.domain import commands as cmd
from eventflow.log.rebuild_job_lists import rebuild_job_lists
from tests.support.driving import Driver
from tests.support.web_app import Client, job_id
from web.deps import WebDeps

JOBS = "/api/v1/videos/jobs"
MEDIA = ("metadata", "thumbnail", "captions", "download", "download?proxy=true", "stream?format=mp4")


@pytest.fixture
async def job(driver: Driver) -> str:
    job = job_id()
    await driver.create(job)
    await driver.publish(job, {"720p": b"a video"}, [b"a picture"], captions={("en-US", "vtt"): b"WEBVTT"})
    return job


async def ask(client: Client, path: str, method: str = "GET", **options: Any) -> tuple[int, dict[str, Any]]:
    async with client.request(method, f"{JOBS}/{path}", allow_redirects=False, **options) as answer:
        return answer.status, await answer.json(content_type=None)


async def listed(client: Client) -> list[str]:
    async with client.get(JOBS) as answer:
        return [job["job_id"] for job in (await answer.json())["jobs"]]


async def test_a_deleted_job_serves_nothing_and_is_in_no_list(
    client: Client, driver: Driver, deps: WebDeps, job: str
) -> None:
    other = job_id()
    await driver.create(other)
    status, body = await ask(client, job, "DELETE")
    assert (status, body["result"], body["version"]) == (202, "deletion_requested", 6)
    for version, said in ((6, "deleting"), (7, "deleted")):
        _, seen = await ask(client, f"{job}/status?min_version={version}")
        assert (seen["status"], seen["playable"], seen["progress"]) == (said, False, 100.0)
        for path in MEDIA:
            status, problem = await ask(client, f"{job}/{path}")
            assert (status, problem["code"], problem["job_status"]) == (410, "deleted", said), path
        assert await listed(client) == [other]
        await driver.run(job, cmd.ConfirmDeletion(3))
    _, events = await ask(client, f"{job}/events")
    assert [event["type"] for event in events["events"]][-2:] == ["DeletionRequested", "JobDeleted"]
    entries = (await deps.log.job_lists.read(None, None, 10)).entries
    assert [entry.job_id for entry in entries] == [other]
    assert await rebuild_job_lists(deps.log) == 0


async def test_a_deletion_is_done_once_and_nothing_is_done_after_it(client: Client, driver: Driver, job: str) -> None:
    answers = [await ask(client, job, "DELETE") for _ in range(2)]
    await driver.run(job, cmd.ConfirmDeletion(3))
    answers.append(await ask(client, job, "DELETE"))
    assert [(status, body["version"]) for status, body in answers] == [(202, 6), (202, 6), (202, 7)]
    for path in (f"{JOBS}/{job}/cancel", f"/api/v1/admin/jobs/{job}/reprocess"):
        async with client.post(path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (410, "deleted")


async def test_a_job_at_work_has_to_be_cancelled_first(client: Client, driver: Driver) -> None:
    job = job_id()
    await driver.create(job)
    await driver.plan(job)
    status, problem = await ask(client, job, "DELETE")
    assert (status, problem["code"]) == (409, "not_finished")
    assert "cancel it" in problem["detail"]
    await ask(client, f"{job}/cancel", "POST")
    await driver.run(job, cmd.ConfirmCancellation())
    assert (await ask(client, job, "DELETE"))[0] == 202


async def test_another_owner_can_not_delete_a_job(client: Client, driver: Driver) -> None:
    hers = job_id()
    await driver.create(hers, owner="alice")
    for job in (hers, job_id(), "nonsense"):
        status, problem = await ask(client, job, "DELETE")
        assert (status, problem["code"]) == (404, "job_not_found")


async def test_a_status_that_is_in_no_list_is_refused_as_a_filter(client: Client) -> None:
    async with client.get(JOBS, params={"status": "deleted"}) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["pointer"]) == (422, "?status")
