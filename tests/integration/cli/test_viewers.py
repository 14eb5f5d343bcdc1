"""What viewers get is what `doctor` looks at: a signed URL, fetched by their address from real S3 protocol servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from eventflow.storage import PublicAddress, open_store
from eventflow.storage.s3.client import S3Options
from ops.cli.checks import service
from ops.cli.checks.finding import Finding, State
from ops.cli.storage import set_up
from tests.integration.cli.conftest import get_json
from tests.support.cdn import edge
from tests.support.programs import Programs
from tests.support.region_gate import region_gate
from tests.support.s3_servers import S3Server, environment_for, free_port, moto_server, options_for, rclone_server
from tests.support.waiting import wait_until_sync


@pytest.fixture(scope="module")
def moto() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def rclone() -> Iterator[S3Server]:
    """It checks signatures."""
    with rclone_server() as server:
        yield server


async def found(server: S3Server, public: PublicAddress | None = None, options: S3Options | None = None) -> Finding:
    given = options or options_for(server)
    store = open_store(f"s3://{server.bucket}/films", now=lambda: datetime.now(UTC), public=public, s3=given)
    try:
        return await service.viewers(store)
    finally:
        await store.close()


async def test_pages_of_other_origins_are_a_warning_and_the_rest_is_well(moto: S3Server) -> None:
    assert (await found(moto)).state in (State.OK, State.WARN)
    store = open_store(f"s3://{moto.bucket}/films", now=lambda: datetime.now(UTC), s3=options_for(moto))
    await set_up(store)
    await store.close()
    seen = await found(moto)
    assert (seen.state, seen.found) == (State.OK, "get files by signed URLs, in parts, in pages of any origin")


async def test_an_address_that_leads_nowhere(moto: S3Server) -> None:
    seen = await found(moto, PublicAddress(f"http://127.0.0.1:{free_port()}"))
    assert (seen.state, "can't be reached" in seen.found) == (State.FAIL, True)
    assert "EVENTFLOW_DELIVERY_PUBLIC_URL" in seen.remedy


async def test_a_domain_that_keeps_the_viewers_host_needs_signatures_for_it(rclone: S3Server) -> None:
    async with edge(rclone.endpoint_url, keeps_host=True) as there:
        refused = await found(rclone, PublicAddress(there.url, signed=False))
        assert (refused.state, "SignatureDoesNotMatch" in refused.found) == (State.FAIL, True), refused
        assert "EVENTFLOW_DELIVERY_SIGNED_FOR=public" in refused.remedy
        assert (await found(rclone, PublicAddress(there.url, signed=True))).state is not State.FAIL


async def test_a_wrong_region_in_front_of_viewers_alone(moto: S3Server) -> None:
    """Nothing that we ask for ourselves is refused: the address that viewers are sent to is in another region."""
    with region_gate(moto.endpoint_url, "eu-west-3") as url:
        seen = await found(moto, PublicAddress(url))
        assert (seen.state, "AuthorizationQueryParametersError" in seen.found) == (State.FAIL, True)
        assert "AWS_REGION" in seen.remedy


def test_readyz_and_the_start_say_it_too(programs: Programs, moto: S3Server, valkey_url: str) -> None:
    with region_gate(moto.endpoint_url, "eu-west-3") as url:
        settings = {
            **environment_for(moto),
            "EVENTFLOW_REDIS_URL": valkey_url,
            "EVENTFLOW_DELIVERY_URL": f"s3://{moto.bucket}/started",
            "EVENTFLOW_DELIVERY_PUBLIC_URL": url,
        }
        web = programs.start("web", "--port", "0", **settings)
        store = get_json(f"{web.ready_url()}/readyz")["components"]["storage"]["stores"]["delivery"]
        assert (store["status"], "AuthorizationQueryParametersError" in store["detail"]) == ("degraded", True)
        wait_until_sync(lambda: "viewers can't get files" in web.err, what="a line in the log")
        report = json.loads(programs.run("doctor", "--json", **settings).out)
        [seen] = [finding for finding in report["findings"] if finding["part"] == "viewers"]
        assert seen["state"] == "fail"
