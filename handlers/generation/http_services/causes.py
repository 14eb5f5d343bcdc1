"""Why a service refuses: one table of HTTP statuses, codes and words for all services. Pure.

Services use statuses freely: a wrong model is 400, 403, 404 or 500, a used-up account 402 or 429. Codes in the body
count before words, and words before the status.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from handlers.generation.http_services.reasons import Reason


class Cause(StrEnum):
    """The cause of a refusal. BUSY, LOADING and BROKEN may pass; the others come again."""

    KEY = "key"
    CREDIT = "credit"
    MODERATION = "moderation"
    MODEL = "model"
    VOICE = "voice"
    LENGTH = "length"
    ADDRESS = "address"
    REDIRECT = "redirect"
    INPUT = "input"
    BUSY = "busy"
    LOADING = "loading"
    BROKEN = "broken"

    @property
    def passes(self) -> bool:
        return self in (Cause.BUSY, Cause.LOADING, Cause.BROKEN)


#: Codes as OpenAI, Azure, Google, OpenRouter, DeepSeek, Alibaba and their imitators write them, in lower case.
_CODES: Final = {
    **dict.fromkeys(
        (
            "insufficient_quota",
            "insufficient_balance",
            "insufficient_credits",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",
            "exceeded_current_quota_error",
            "payment_required",
        ),
        Cause.CREDIT,
    ),
    **dict.fromkeys(
        (
            "content_filter",
            "content_filtered",
            "content_policy_violation",
            "responsibleaipolicyviolation",
            "moderation_blocked",
            "data_inspection_failed",
        ),
        Cause.MODERATION,
    ),
    **dict.fromkeys(("context_length_exceeded", "string_too_long", "string_above_max_length"), Cause.LENGTH),
    **dict.fromkeys(
        ("model_not_found", "deploymentnotfound", "model_not_available", "model_not_exist", "no_such_model"),
        Cause.MODEL,
    ),
    **dict.fromkeys(("invalid_api_key", "api_key_invalid", "authentication_error", "unauthenticated"), Cause.KEY),
    **dict.fromkeys(("unknown_url",), Cause.ADDRESS),
}
_PASSING_CODES: Final = {
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error", "too_many_requests", "resource_exhausted"), Cause.BUSY),
    **dict.fromkeys(("overloaded_error", "overloaded", "engine_overloaded_error"), Cause.BUSY),
    **dict.fromkeys(("unavailable_error", "unavailable", "model_loading"), Cause.LOADING),
}
#: Words of messages, for services without codes. Every gap is bounded.
_WORDS: Final = (
    (
        Cause.ADDRESS,
        re.compile(r"unexpected endpoint|invalid url \(|unknown request url|404 page not found", re.IGNORECASE),
    ),
    (
        Cause.CREDIT,
        re.compile(
            r"\b(insufficient|not enough) (credit|balance|quota|fund)|exceeded your current quota|per[ -]?day\b|perday"
            r"|\b[rt]pd\b|daily (limit|quota)|billing",
            re.IGNORECASE,
        ),
    ),
    (
        Cause.MODERATION,
        re.compile(r"\bflagged\b|content management policy|content policy|moderation|safety system", re.IGNORECASE),
    ),
    (
        Cause.LENGTH,
        re.compile(r"context (length|window|size)|maximum context|too many tokens|prompt is too long", re.IGNORECASE),
    ),
    (
        Cause.VOICE,
        re.compile(r"\bvoice\b.{0,80}(not found|unknown|does ?n.t exist)|(unknown|invalid) voice", re.IGNORECASE),
    ),
    (
        Cause.MODEL,
        re.compile(
            r"\bmodel\b.{0,120}(not found|does not exist|not exist|do not have access|try pulling)"
            r"|\b(no|unknown|invalid) (such )?model\b|\bno access to\b.{0,40}\bmodel",
            re.IGNORECASE,
        ),
    ),
    (Cause.KEY, re.compile(r"(invalid|incorrect|missing|bad) api[ _-]?key|api key not valid", re.IGNORECASE)),
)
#: Statuses at which words about models and voices are believed; a 503 about a model is one that loads.
_DURABLE: Final = frozenset({200, 400, 402, 403, 404, 405, 410, 413, 415, 422, 429, 451, 500, 501})
#: What servers say of a path that they don't have.
_NO_ROUTE: Final = re.compile(r"(404:? ?)?((page |file |route |path |endpoint )?not found)?", re.IGNORECASE)
_LOADING: Final = re.compile(r"\b(re)?load(ing|s)\b|warming|starting up|cold start|still start", re.IGNORECASE)
_STATUSES: Final = {
    401: Cause.KEY,
    402: Cause.CREDIT,
    405: Cause.ADDRESS,
    408: Cause.BUSY,
    409: Cause.BUSY,
    413: Cause.LENGTH,
    425: Cause.BUSY,
    429: Cause.BUSY,
    451: Cause.MODERATION,
    501: Cause.INPUT,
    502: Cause.LOADING,
    503: Cause.LOADING,
    504: Cause.LOADING,
    524: Cause.LOADING,
    529: Cause.BUSY,
}


def cause_of(status: int, reason: Reason) -> Cause:
    """Return why a request was refused; a `status` of 200 is that of an error in a good answer."""
    if 300 <= status < 400:
        return Cause.REDIRECT
    for code in reason.codes:
        if code in _CODES:
            return _CODES[code]
    if status == 401:
        return Cause.KEY
    if status in _DURABLE:
        for cause, words in _WORDS:
            if words.search(reason.message):
                return cause
    if status == 404 and (reason.page or _NO_ROUTE.fullmatch(reason.message.strip(" .!"))):
        return Cause.ADDRESS
    if reason.page and status < 500:
        return Cause.ADDRESS
    if status >= 500 and _LOADING.search(reason.message):
        return Cause.LOADING
    if status in _STATUSES:
        return _STATUSES[status]
    if status == 200:
        return next((_PASSING_CODES[code] for code in reason.codes if code in _PASSING_CODES), Cause.BROKEN)
    return Cause.BROKEN if status >= 500 else Cause.INPUT
