"""The port through which requests are checked and planned, and pipelines, themes and voices listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from eventflow.domain.values import VideoRequest
from eventflow.requests.errors import Fault


class Planner(Protocol):
    """Knowledge of scenes, themes, pipelines and voices. All methods block: the web app calls them in threads.

    Lists are JSON objects with `name`, `description` and the facts that the API's schemas name.
    """

    @property
    def theme_names(self) -> frozenset[str]:
        """The themes that a request may name."""

    @property
    def scenes_schema(self) -> Mapping[str, Any]:
        """The JSON schema of a request's `scenes`."""

    def embedded_pictures(self, request: VideoRequest, should_stop: Callable[[], bool]) -> Mapping[str, str]:
        """The pictures of the script that are at a URL or are data, and have no asset yet.

        Keys are the addresses that `VideoRequest.pictures` names their assets by, values the whole addresses. Empty for
        a script that can't be read.
        """

    def check(
        self, request: VideoRequest, should_stop: Callable[[], bool], refused: Mapping[str, str] = MappingProxyType({})
    ) -> Sequence[Fault]:
        """The faults of a well-formed request that can be found quickly, without planning it whole.

        `should_stop` is true once nobody waits for the result; the result, or error, is then ignored. `refused` says
        why pictures, by address, gave no asset.
        """

    def plan(
        self, request: VideoRequest, should_stop: Callable[[], bool], refused: Mapping[str, str] = MappingProxyType({})
    ) -> Mapping[str, Any]:
        """The scenes of the requested video, with title, voice, style and warnings, as JSON values.

        Raises RequestInvalid, and PlanningUnavailable when the model that plans from topics fails.
        """

    def pipelines(self) -> Sequence[Mapping[str, Any]]:
        """All installed pipelines."""

    def themes(self) -> Sequence[Mapping[str, Any]]:
        """All themes, the default one first."""

    def voices(self) -> Sequence[Mapping[str, Any]]:
        """All voices of this installation."""
