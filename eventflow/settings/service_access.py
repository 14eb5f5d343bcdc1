"""How a service is reached: settings that the planner, the speech service and the text-to-video service share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from attrs import frozen

from eventflow.settings.declare import Group
from eventflow.settings.kinds import bearer_token, http_headers, json_object, matching, number, service_url

_MODEL: Final = r"[^\s\0]{1,200}"


class ServiceAccess(Protocol):
    """The settings that every request to a service follows."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str | None]: ...
    @property
    def params(self) -> Mapping[str, Any]: ...


@frozen(eq=False)
class ServiceGroup(Group):
    """Settings of a service, whose names begin with `prefix`: "PLANNER" for `EVENTFLOW_PLANNER_URL`."""

    prefix: str

    def url(self, text: str, *, example: str = "https://api.openai.com/v1") -> str:
        return self.setting("", service_url(example), text, name=f"{self.prefix}_URL")

    def model(self, default: str, text: str, *, example: str) -> str:
        pattern = _MODEL if default else f"({_MODEL})?"
        return self.setting(default, matching(pattern, example), text, name=f"{self.prefix}_MODEL")

    def key(self) -> str:
        text = "bearer token of the service; empty: none is sent"
        return self.setting("", bearer_token(), text, name=f"{self.prefix}_KEY", secret=True)

    def timeout_s(self, default: str, text: str) -> float:
        return self.setting(default, number(float, 0.1, 3_600), text, name=f"{self.prefix}_TIMEOUT_SECONDS")

    def busy_wait_s(self, who: str) -> float:
        text = f"seconds that {who} waits for a service that is loading its model, busy or unreachable"
        return self.setting("300", number(float, 0, 3_600), text, name=f"{self.prefix}_PATIENCE_SECONDS")

    def headers(self) -> Mapping[str, str | None]:
        text = "further HTTP headers; null takes one away"
        return self.setting("", http_headers(), text, name=f"{self.prefix}_HEADERS", secret=True)

    def params(self) -> Mapping[str, Any]:
        text = "fields of each request's body, laid over it last (RFC 7396); null takes a field away"
        return self.setting("", json_object(), text, name=f"{self.prefix}_PARAMS")
