"""`eventflow storage setup` and what `doctor` says of it, against a real S3 protocol server."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from eventflow.storage import StorageRefused
from eventflow.storage.s3.store import S3Store
from ops.cli.checks import service
from ops.cli.checks.finding import State
from ops.cli.storage import set_up
from tests.support.s3_servers import S3Server, moto_server, options_for


def bucket_of(server: S3Server) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )


async def test_the_rule_for_players_is_added_once_beside_others() -> None:
    with moto_server() as server:
        client = bucket_of(server)
        own = {"AllowedOrigins": ["https://studio.example"], "AllowedMethods": ["PUT"]}
        client.put_bucket_cors(Bucket=server.bucket, CORSConfiguration={"CORSRules": [own]})
        store = S3Store(server.bucket, "films", options=options_for(server))
        try:
            found = await service.players(store)
            assert (found.state, "eventflow storage setup" in found.remedy) == (State.WARN, True)
            assert await set_up(store) == "pages of any origin may read it now"
            rules = client.get_bucket_cors(Bucket=server.bucket)["CORSRules"]
            assert rules[0]["AllowedOrigins"] == own["AllowedOrigins"]
            assert rules[1]["AllowedMethods"] == ["GET", "HEAD"]
            assert await set_up(store) == "pages of any origin may read it already"
            assert len(client.get_bucket_cors(Bucket=server.bucket)["CORSRules"]) == 2
            assert (await service.players(store)).state is State.OK
        finally:
            await store.close()
            client.close()


async def test_a_bucket_without_rules_and_one_that_is_not_there() -> None:
    with moto_server() as server:
        for bucket in (server.bucket, "nobodys-bucket"):
            store = S3Store(bucket, options=options_for(server))
            try:
                assert (await service.players(store)).state is State.WARN
                if bucket == server.bucket:
                    assert "now" in await set_up(store)
                else:
                    with pytest.raises(StorageRefused, match="NoSuchBucket"):
                        await set_up(store)
            finally:
                await store.close()
