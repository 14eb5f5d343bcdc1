"""Log lines: JSON, and never a secret in them, wherever it hides."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog

from eventflow.telemetry.logs import configure_logs

S3_URL = (
    "https://s3.example.org/b/videos/a.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIASECRET%2F20260101"
    "&X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Security-Token=SECRETsession&X-Amz-Signature=SECRETdeadbeef"
)
LOCAL_URL = "http://localhost:8080/media/delivery/videos/a.mp4?e=1700000000&k=k1&d=A+film.mp4&s=SECRETmac-_1"
API_KEY = "ef_0123abcd_SECRETabcdefghijklmnopqrstuvwxyzABCDEFGHIJ"
LEAKS = [
    S3_URL,
    LOCAL_URL,
    f"GET {LOCAL_URL} failed, then {S3_URL}",
    "Authorization: Bearer SECRET.abc-123_~+/=",
    "bearer SECRETabc",
    "/api/v1/videos/1/stream?token=SECRETabc&quality=720p",
    f"no such key: {API_KEY}",
    "redis://:SECRET@127.0.0.1:6379/0 refused",
    "rediss://user:SECRET@redis.example.org",
    "AWSAccessKeyId=SECRET&Signature=SECRET%3D&Expires=1",
]


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What is logged. Logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level, before = list(root.handlers), root.level, structlog.get_config()
    stream = io.StringIO()
    configure_logs("DEBUG", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


def raise_with(text: str) -> None:
    raise ConnectionError(text)


@pytest.mark.parametrize("text", LEAKS)
def test_secrets_are_redacted(text: str, out: io.StringIO) -> None:
    log = structlog.get_logger()
    log.info(text)
    log.info("event", url=text, nested={"headers": [text, {"deeper": (text,)}]}, error=ConnectionError(text))
    logging.getLogger("aiobotocore").warning("asked %s", text)
    for logger in (log, logging.getLogger("redis")):
        try:
            raise_with(text)
        except ConnectionError:
            logger.exception("broken")
    assert len(lines(out)) == 5
    assert "SECRET" not in out.getvalue()
    assert out.getvalue().count("***") >= 7


@pytest.mark.parametrize("name", ["token", "Authorization", "signing_key", "password", "api_key"])
def test_values_of_telling_names_are_redacted(name: str, out: io.StringIO) -> None:
    structlog.get_logger().info("event", **{name: "SECRET"}, headers={name: "SECRET"})
    assert "SECRET" not in out.getvalue()


def test_what_helps_stays(out: io.StringIO) -> None:
    structlog.get_logger().info("sent", url=LOCAL_URL, stage_ms=1.5, scene=None, done=True, parts=[1, "two"])
    (line,) = lines(out)
    assert line["url"] == LOCAL_URL.replace("SECRETmac-_1", "***")
    assert (line["stage_ms"], line["scene"], line["done"], line["parts"]) == (1.5, None, True, [1, "two"])
    assert (line["event"], line["level"]) == ("sent", "info")
    assert line["timestamp"].endswith("Z")


def test_ordinary_text_is_left_alone(out: io.StringIO) -> None:
    text = "see https://example.org/a?page=2&sort=size, a@b.org, ef_short, key=value: 50% of tokens = 3"
    structlog.get_logger().info(text)
    assert lines(out)[0]["event"] == text


def test_long_text_costs_little(out: io.StringIO) -> None:
    structlog.get_logger().info("a" * 200_000 + "://" * 1_000)
    assert len(lines(out)) == 1


def test_context_is_carried_and_levels_are_kept(out: io.StringIO) -> None:
    configure_logs("WARNING", stream=out)
    with structlog.contextvars.bound_contextvars(job_id="j"):
        structlog.get_logger().info("unheard")
        structlog.get_logger().warning("heard")
        logging.getLogger("lib").warning("also heard")
    assert [(line["event"], line["job_id"]) for line in lines(out)] == [("heard", "j"), ("also heard", "j")]


def test_the_console_is_redacted_too(out: io.StringIO) -> None:
    configure_logs("INFO", json=False, stream=out)
    structlog.get_logger().info("sent", url=LOCAL_URL, nested={"u": S3_URL})
    assert "sent" in out.getvalue()
    assert "SECRET" not in out.getvalue()
