"""The fields that say how a video looks and sounds. A script's front matter may say them, too."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen

from eventflow.domain.values import CaptionMode, OnSceneFailure, Voice
from eventflow.requests.json_reader import Cursor, shown, unknown
from eventflow.requests.json_types import Choice, Described, JsonType, Nullable, Number, Object, Pattern, Schema
from eventflow.requests.limits import ASPECT_NAMES, FASTEST_RATE, SLOWEST_RATE, RequestLimits

#: Fields that front matter says where a request doesn't. So does it for `voice`, member by member.
FRONT_MATTER_FIELDS: Final = ("theme", "aspect", "captions", "music")
_FRONT_MATTER: Final = "Front matter of the script counts where this is left out."


def style_fields(limits: RequestLimits) -> dict[str, JsonType]:
    """The fields by name."""
    asset = Pattern("as_[0-9a-f]{32}", "the id of an audio asset: as_ and 32 hex digits")
    usual = Voice()
    voice = Object(
        {
            "name": Described(VoiceName(limits.voices), default=usual.name),
            "rate": Described(Number(SLOWEST_RATE, FASTEST_RATE), default=usual.rate),
        },
        make=lambda _, values: Voice(**values),
    )
    return {
        "voice": Described(Nullable(voice), "null: no narration; pages are shown as long as reading takes."),
        "theme": Described(Nullable(Choice(sorted(limits.themes), noun="theme")), _FRONT_MATTER),
        "aspect": Described(Choice(ASPECT_NAMES, noun="aspect ratio"), _FRONT_MATTER),
        "captions": Described(Captions(), _FRONT_MATTER),
        "music": Described(Nullable(asset), f"The id of an audio asset. {_FRONT_MATTER}"),
        "on_scene_failure": Choice(tuple(OnSceneFailure), noun="choice", make=OnSceneFailure),
    }


@frozen
class VoiceName(Pattern):
    """A well-formed name of a voice, and one of `known` where the voices are known."""

    pattern: str = field(default="[A-Za-z0-9:_.-]{1,64}", init=False)
    form: str = field(default="1 to 64 letters, digits or any of - _ . :", init=False)
    known: frozenset[str] | None

    def read(self, at: Cursor) -> str:
        before, name = len(at.faults.found), super().read(at)
        if len(at.faults.found) == before and self.known is not None and name not in self.known:
            at.fail("unknown_value", unknown("voice", name, sorted(self.known)))
        return name


@frozen
class Captions(JsonType):
    """true: files beside the video; "burned": drawn into its pictures as well; false: none."""

    def read(self, at: Cursor) -> CaptionMode:
        if isinstance(at.value, bool):
            return CaptionMode.TRACK if at.value else CaptionMode.NONE
        if isinstance(at.value, str) and at.value != "burned":
            at.fail("unknown_value", f'must be true, false or "burned", not {shown(at.value)!r}')
        elif at.value != "burned":
            at.wrong_type('true, false or "burned"')
        return CaptionMode.BURNED

    def write(self, value: Any) -> bool | str:
        return "burned" if value is CaptionMode.BURNED else value is CaptionMode.TRACK

    def schema(self) -> Schema:
        return {"enum": [True, False, "burned"]}
