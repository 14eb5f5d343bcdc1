"""Structured logs: one JSON object a line on standard error, or coloured text on a terminal."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

#: Texts that must not reach a log: signatures, tokens and keys in URLs and headers.
_SECRET = re.compile(
    r"(?i)((?:x-amz-(?:signature|credential|security-token)|signature|awsaccesskeyid|token|password|[?&]s)=)[^&\s\"']+"
    r"|(bearer\s+)[\w.~+/=-]+"
    r"|([a-z][a-z0-9+.-]{1,15}://[^\s/@:]{0,256}:)[^\s/@]+(?=@)"
    r"|(\bef_[0-9a-f]{8}_)[\w-]{20,}"
)
_SECRET_NAMES = frozenset({"authorization", "token", "password", "secret", "signature", "signing_key", "api_key"})
_HARMLESS = (int, float, type(None))


def _redact(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = _clean(key, value)
    return event


def _clean(name: Any, value: Any) -> Any:
    """Return `value` without secrets, at any depth; values that aren't JSON become their `repr`, as in the renderer."""
    if isinstance(name, str) and name.lower() in _SECRET_NAMES and value:
        return "***"
    if isinstance(value, str):
        return _SECRET.sub(lambda m: next(kept for kept in m.groups() if kept) + "***", value)
    if isinstance(value, _HARMLESS):
        return value
    if isinstance(value, Mapping):
        return {key: _clean(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(None, each) for each in value]
    return _clean(None, repr(value))


def _console() -> Any:
    """Return a renderer with plain tracebacks: rich ones block for a good part of a second, without heartbeats."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def configure_logs(level: str = "INFO", *, json: bool = True, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging alike. `level` is a name such as "INFO"."""
    out = stream or sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: Any = structlog.processors.JSONRenderer() if json else _console()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _redact,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
