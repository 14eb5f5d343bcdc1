"""What services say of pauses and reasons, in the forms in which they say it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from handlers.generation.http_services.bodies import json_in, merged
from handlers.generation.http_services.causes import Cause, cause_of
from handlers.generation.http_services.reasons import Reason, reason_of
from handlers.generation.http_services.waits import wait_of
from handlers.generation.narration.narrators.line_parts import length_limit, parts_of

NOW_S = 1_790_000_000.0  #: Mon, 21 Sep 2026 14:13:20 GMT
GEMINI = [{"error": {"code": 429, "details": [{"@type": "x/RetryInfo", "retryDelay": "45.837906927s"}]}}]


def waits(body: Any = None, **headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return wait_of(named, reason_of(orjson.dumps(body) if body is not None else b""), NOW_S)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "Mon, 02 Mar 2026 10:00:30 GMT", "Date": "Mon, 02 Mar 2026 10:00:00 GMT"}, 30),
        ({"Retry_After": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30),
        ({"Retry_After": "Mon, 21 Sep 2026 14:13:50 GMT", "Date": "soon"}, 30),
        ({"retry_after_ms": "1500", "Retry_After": "2"}, 1.5),
        ({"x_ratelimit_reset_requests": "6m0s", "x_ratelimit_remaining_requests": "0"}, 360),
        ({"x_ratelimit_reset_tokens": "1m12.5s", "x_ratelimit_remaining_tokens": "0"}, 72.5),
        ({"x_ratelimit_reset_tokens": "1m12.5s", "x_ratelimit_remaining_tokens": "9"}, None),
        ({"X_RateLimit_Reset": "1790000042000"}, 42),
        ({"X_RateLimit_Reset": "1790000042"}, 42),
        ({"Retry_After": "1209600"}, 900),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({}, None),
    ],
)
def test_pauses_in_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert waits(**headers) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (GEMINI, 45.837906927),
        ({"error": {"message": "Rate limit reached. Please try again in 5.289s. Visit us"}}, 5.289),
        ({"error": {"message": "Please try again in 7m12s."}}, 432),
        ({"error": {"message": "Please retry after 20 seconds"}}, 20),
        ({"error": {"message": "try again in 120ms"}}, 0.12),
        ({"error": {"message": "x", "metadata": {"headers": {"X-RateLimit-Reset": "1790000042000"}}}}, 42),
        ({"error": {"message": "try again later"}}, None),
    ],
)
def test_pauses_in_bodies(body: Any, seconds: float | None) -> None:
    assert waits(body) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "a"}}, "a"),
        ({"error": "a"}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body", "x"], "msg": "a"}]}, "a"),
        ({"detail": {"error": {"message": "a"}}}, "a"),
        ({"message": "a"}, "a"),
        ([{"error": {"message": "a"}}], "a"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": '{"error": {"message": "a"}}'}}}, "a"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "a"}}}, "a"),
        ({"error": True, "message": "a"}, "a"),
        ({"failure": "a", "failureCode": "X"}, "a"),
        ({"error_message": "a"}, "a"),
        ("a", "a"),
        (None, ""),
        ([], ""),
    ],
)
def test_reasons(body: Any, message: str) -> None:
    assert reason_of(orjson.dumps(body)).message == message


@pytest.mark.parametrize(
    ("message", "vague"),
    [
        ("", True),
        ("Bad Request.", True),
        ("Unprocessable Entity", True),
        ("Internal server error!", True),
        ("Validation error", True),
        ("Not implemented", True),
        ("bad request: no such voice", False),
        ("errors", False),
    ],
)
def test_a_message_that_tells_nothing(message: str, vague: bool) -> None:
    assert Reason(message=message).vague is vague


def test_a_body_without_text_has_no_reason() -> None:
    assert reason_of(b"ID3\x04\0\0\0\xff\xfb").message == ""
    page = reason_of(b"<!doctype html><title>Oops</title>")
    assert (page.message, page.page) == ("Oops", True)


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (400, {"message": "API key not valid", "details": [{"reason": "API_KEY_INVALID"}]}, Cause.KEY),
        (400, {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}, Cause.MODERATION),
        (429, {"message": "x", "code": "insufficient_quota"}, Cause.CREDIT),
        (429, {"message": "Limit of requests per day (RPD)"}, Cause.CREDIT),
        (429, {"message": "slow down"}, Cause.BUSY),
        (503, {"message": "model x is loading"}, Cause.LOADING),
        (524, {}, Cause.LOADING),
        (500, {"message": "boom"}, Cause.BROKEN),
        (200, {"message": "CUDA out of memory"}, Cause.BROKEN),
        (404, {"message": "The model `x` does not exist"}, Cause.MODEL),
        (404, {"message": "Not Found"}, Cause.ADDRESS),
        (404, {"message": "no such clip"}, Cause.INPUT),
        (400, {"message": "response_format is not supported by this model"}, Cause.INPUT),
        (301, {}, Cause.REDIRECT),
        (418, {"message": "x"}, Cause.INPUT),
    ],
)
def test_causes(status: int, error: Any, cause: Cause) -> None:
    assert cause_of(status, reason_of(orjson.dumps({"error": error}))) is cause


def test_params_are_laid_over_a_body() -> None:
    body = {"a": 1, "b": {"c": 2, "d": 3}}
    assert merged(body, {"a": None, "b": {"c": 4}, "e": [5]}) == {"b": {"c": 4, "d": 3}, "e": [5]}
    assert body["a"] == 1


@pytest.mark.parametrize("body", [b'{"a": 1} x', b"{", b"", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        json_in(body)


@pytest.mark.parametrize("most", [20, 50, 200])
def test_parts_of_a_line_are_short_and_lose_nothing(most: int) -> None:
    for text in (
        "One sentence. Another, with a clause; and more words here to go on. " * 5,
        "a" * 333,
        "河流很长。" * 40,
    ):
        parts = parts_of(text, most)
        assert all(0 < len(part) <= most for part in parts)
        assert "".join("".join(parts).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ("Input must be less than or equal to 200 characters. Got 314", 200),
        ("String should have at most 1,000 characters", 157),
        ("input too long", 157),
        ("this text is odd", None),
    ],
)
def test_a_length_in_a_refusal(message: str, most: int | None) -> None:
    assert length_limit(reason_of(orjson.dumps({"detail": message})), 314) == most
