"""What a generate request may say, and how it is told what is wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import orjson
import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from eventflow.domain.commands import RequestReprocess
from eventflow.domain.values import CaptionMode, MergeField, OnSceneFailure, ReprocessFrom, VideoRequest, Voice
from eventflow.requests.errors import Fault, RequestInvalid
from eventflow.requests.limits import ASPECT_NAMES, PipelineFacts, RequestLimits
from eventflow.requests.video_request import RequestReader, read_reprocess
from handlers.generation.aspects import ASPECTS
from web.http.errors import invalid

READER = RequestReader(
    RequestLimits(
        pipelines={"explainer": PipelineFacts(), "simulation": PipelineFacts(needs_script=False)},
        default_pipeline="explainer",
        max_script_chars=1_000,
        voices=frozenset({"en-us", "de"}),
    )
)
read = READER.read


def faults_of(body: Any) -> tuple[Fault, ...]:
    with pytest.raises(RequestInvalid) as caught:
        read(body)
    return caught.value.faults


def wrong(body: Any) -> dict[str, str]:
    """Pointer -> code of everything that is wrong with `body`."""
    return {fault.pointer: fault.code for fault in faults_of(body)}


def test_defaults_are_filled_in() -> None:
    assert read({"script": "# Hi"}) == VideoRequest(script="# Hi")


def test_everything_that_can_be_said() -> None:
    body = {
        "script": "line\r\n\tline 🎬",
        "pipeline": "simulation",
        "pipeline_version": "2.0",
        "quality_levels": ["720p"],
        "voice": {"name": "de", "rate": 2},
        "thumbnail_generation": False,
        "s3_upload_enabled": False,
        "cleanup_local_files": False,
        "retry_attempts": 0,
        "passthrough": {"a": [None, "ü"]},
    }
    made = read(body)
    assert made.voice == Voice("de", 2.0)
    assert made.quality_levels == ("720p",)
    assert made.passthrough == '{"a":[null,"ü"]}'
    assert (made.retry_attempts, made.thumbnail_generation) == (0, False)


ASSET = "as_" + "0123456789abcdef" * 2


def test_everything_that_can_be_said_about_looks_and_sound() -> None:
    body = {
        "scenes": [{"title": "Hi"}],
        "title": "Deck",
        "voice": None,
        "theme": "midnight",
        "aspect": "9:16",
        "captions": "burned",
        "music": ASSET,
        "on_scene_failure": "skip",
        "merge": [{"find": "name", "replace": "Ada"}],
    }
    made = read(body)
    assert made == VideoRequest(
        script="",
        scenes='{"version":1,"title":"Deck","scenes":[{"title":"Hi"}]}',
        narrated=False,
        theme="midnight",
        aspect="9:16",
        captions=CaptionMode.BURNED,
        music=ASSET,
        on_scene_failure=OnSceneFailure.SKIP,
        merge=(MergeField("name", "Ada"),),
    )
    assert read({"topic": "Bees"}).topic == "Bees"


def test_explicit_defaults_are_kept_where_front_matter_could_say_otherwise() -> None:
    said = {"voice": {"name": "en-us"}, "aspect": "16:9", "captions": True, "music": None, "theme": None}
    assert read({"script": "# Hi", **said}).explicit_defaults == ("voice.name",)
    assert read({"script": "# Hi", "voice": {"rate": 1}}).explicit_defaults == ()
    made = read({"script": "---\nrate: 2\n---\n# Hi", **said})
    assert made.explicit_defaults == ("aspect", "captions", "music", "theme", "voice", "voice.name")
    assert read({"script": "---\nrate: 2\n---\n# Hi", "aspect": "1:1"}).explicit_defaults == ()
    for top in ("\ufeff\n---\n", "+++\n", '{"title": "x"}\n', ";;;\n", "% A title\n", "<!-- a comment -->\n---\n"):
        assert read({"script": f"{top}# Hi", "aspect": "16:9"}).explicit_defaults == ("aspect",)


def test_a_body_that_gives_a_request_again() -> None:
    for body in (
        {"script": "# Hi", "voice": {"name": "de", "rate": 2}, "passthrough": {"a": 1}},
        {"script": "---\nrate: 2\n---\n# Hi", "voice": {"name": "en-us"}, "captions": True, "music": None},
        {"script": "---\nrate: 2\n---\n# Hi"},
        {"script": "# Hi", "voice": {"name": "en-us"}},
        {"script": "# Hi", "voice": {"language": "pt-BR", "rate": 2}},
        {"topic": "Bees", "voice": {"name": "en-us"}},
        {"scenes": [{"title": "x"}], "title": "T", "captions": False, "voice": None, "on_scene_failure": "skip"},
        {"topic": "Bees", "theme": "midnight", "aspect": "1:1", "music": ASSET},
        {"script": "{{a}}", "merge": [{"find": "a", "replace": "b"}], "captions": "burned"},
        {"pipeline": "simulation"},
    ):
        made = read(body)
        assert read(READER.body_of(made)) == made


def test_every_field_of_a_request_is_declared_and_every_declaration_is_a_field() -> None:
    declared = set(READER.schema({})["properties"])
    assert declared - {"title"} == {each.name for each in fields(VideoRequest)} - {"narrated", "insisted"}


def test_a_request_says_what_its_schema_says() -> None:
    schema = jsonschema.Draft202012Validator(READER.schema({"type": "array"}))
    for body in ({"script": "# Hi"}, {"topic": "x", "voice": None, "captions": "burned", "theme": None}):
        schema.validate(body)
        schema.validate(READER.body_of(read(body)))
    for name, value in (("theme", "nope"), ("retry_attempts", 4), ("quality_levels", []), ("voice", {"rate": 3})):
        assert not schema.is_valid({"script": "x", name: value})


def test_names_that_are_unknown_are_answered_with_those_there_are() -> None:
    (fault,) = faults_of({"script": "x", "pipeline": "nope"})
    assert fault.reason == "unknown pipeline 'nope'; available: explainer, simulation"
    (fault,) = faults_of({"script": "x", "voice": {"name": "en-u"}})
    assert fault.reason == "unknown voice 'en-u'; did you mean 'en-us'?"


def test_a_request_is_made_from_one_thing() -> None:
    assert wrong({"scenes": []}) == {"/scenes": "out_of_range"}
    assert wrong({"topic": " "}) == {"/topic": "empty"}
    assert wrong({"topic": "x", "scenes": [1]}) == {"/topic": "conflict"}


@pytest.mark.parametrize("field", ["passthrough", "scenes"])
def test_what_is_nested_too_deeply_is_refused(field: str) -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    value = {"a": deep} if field == "passthrough" else [deep]
    source = {} if field == "scenes" else {"script": "x"}
    assert wrong({**source, field: value}) == {f"/{field}": "too_deep"}


def test_the_names_of_aspects_are_those_that_pages_are_drawn_in() -> None:
    assert tuple(ASPECTS) == ASPECT_NAMES


def test_a_test_pattern_needs_no_script() -> None:
    assert read({"pipeline": "simulation"}).script == ""
    assert wrong({}) == {"/script": "required"}


@pytest.mark.parametrize("script", ["", "  \n\t ", " "])
def test_an_empty_script_is_named(script: str) -> None:
    assert wrong({"script": script}) == {"/script": "empty"}


@pytest.mark.parametrize("character", ["\0", "\uffff", "\ud800"])
def test_characters_that_no_script_may_have_are_refused_with_their_place(character: str) -> None:
    (error,) = faults_of({"script": f"one\ntwo{character}"})
    assert error.code == "control_character"
    assert "character 7 (line 2)" in error.reason


@pytest.mark.parametrize("character", ["\x07", "\x0b", "\x0c", "\x1b", "\x7f", "\x85"])
def test_control_characters_of_other_programs_are_left_to_the_planner(character: str) -> None:
    assert read({"script": f"one\ntwo{character}"}).script == f"one\ntwo{character}"
    (error,) = faults_of({"topic": f"one{character}"})
    assert error.code == "control_character"


def test_a_script_that_is_too_long_tells_how_long_it_may_be() -> None:
    (error,) = faults_of({"script": "x" * 1_001})
    assert error.reason == "has 1,001 characters; at most 1,000 are allowed"


@pytest.mark.parametrize("name", ["webhook_url"])
def test_fields_of_later_are_not_available_rather_than_ignored(name: str) -> None:
    faults = faults_of({"script": "x", name: None})
    assert {fault.pointer: fault.code for fault in faults} == {f"/{name}": "not_available"}
    assert invalid(faults).code == "not_available"


def test_unknown_fields_are_named_with_what_may_have_been_meant() -> None:
    (error,) = faults_of({"script": "x", "scriptt": "y"})
    assert (error.pointer, error.code) == ("/scriptt", "unknown_field")
    assert "did you mean 'script'" in error.reason
    assert wrong({"script": "x", "a/b~c": 1}) == {"/a~1b~0c": "unknown_field"}
    assert wrong({"script": "x", "voice": {"pitch": 3}}) == {"/voice/pitch": "unknown_field"}


def test_everything_wrong_is_listed_at_once() -> None:
    body = {
        "script": 7,
        "pipeline": "nope",
        "pipeline_version": "3.0",
        "quality_levels": ["720p", "720p", "4k", "9p", 3],
        "voice": {"name": "Böse", "rate": 9},
        "thumbnail_generation": "yes",
        "retry_attempts": 4,
        "passthrough": [],
        "bogus": 1,
    }
    assert wrong(body) == {
        "/script": "wrong_type",
        "/pipeline": "unknown_value",
        "/pipeline_version": "not_available",
        "/quality_levels/1": "repeated",
        "/quality_levels/2": "unknown_value",
        "/quality_levels/3": "unknown_value",
        "/quality_levels/4": "wrong_type",
        "/voice/name": "malformed",
        "/voice/rate": "out_of_range",
        "/thumbnail_generation": "wrong_type",
        "/retry_attempts": "out_of_range",
        "/passthrough": "wrong_type",
        "/bogus": "unknown_field",
    }


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        ("quality_levels", [], "/quality_levels", "empty"),
        ("quality_levels", "720p", "/quality_levels", "wrong_type"),
        ("retry_attempts", True, "/retry_attempts", "wrong_type"),
        ("retry_attempts", 1.5, "/retry_attempts", "wrong_type"),
        ("retry_attempts", -1, "/retry_attempts", "out_of_range"),
        ("voice", {"name": "fr"}, "/voice/name", "unknown_value"),
        ("voice", {"rate": True}, "/voice/rate", "wrong_type"),
        ("voice", 1, "/voice", "wrong_type"),
        ("scenes", [{}], "/scenes", "conflict"),
        ("topic", "x", "/topic", "conflict"),
        ("title", "x", "/title", "not_here"),
        ("theme", "nope", "/theme", "unknown_value"),
        ("aspect", "4:3", "/aspect", "unknown_value"),
        ("captions", "yes", "/captions", "unknown_value"),
        ("captions", None, "/captions", "wrong_type"),
        ("music", "song.mp3", "/music", "malformed"),
        ("on_scene_failure", "retry", "/on_scene_failure", "unknown_value"),
        ("merge", {}, "/merge", "wrong_type"),
        ("merge", [{"find": "a"}], "/merge/0", "required"),
        ("merge", [{"find": "{{a}}", "replace": "b"}], "/merge/0/find", "malformed"),
        ("merge", [{"find": "a", "replace": "\0"}], "/merge/0/replace", "control_character"),
        ("merge", [{"find": "a", "replace": "b"}, {"find": "a", "replace": "c"}], "/merge/1/find", "repeated"),
        ("merge", [{"find": "a", "replace": "b"}] * 101, "/merge", "too_long"),
        ("cleanup_local_files", 1, "/cleanup_local_files", "wrong_type"),
        ("passthrough", {"x": "y" * 1_024}, "/passthrough", "too_long"),
        ("passthrough", None, "/passthrough", "wrong_type"),
    ],
)
def test_wrong_values(field: str, value: Any, pointer: str, code: str) -> None:
    assert wrong({"script": "x", field: value}) == {pointer: code}


@pytest.mark.parametrize("body", [None, [], "x", 3, True])
def test_a_body_is_an_object(body: Any) -> None:
    assert faults_of(body)[0].pointer == ""


def test_a_flood_of_unknown_fields_is_answered_in_bounds() -> None:
    assert len(faults_of({f"field{n}": n for n in range(100_000)})) <= 50


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    [
        "script",
        "scenes",
        "topic",
        "title",
        "merge",
        "theme",
        "aspect",
        "captions",
        "music",
        "on_scene_failure",
        "pipeline",
        "pipeline_version",
        "quality_levels",
        "voice",
        "retry_attempts",
        "passthrough",
    ]
)


@given(st.dictionaries(NAMES | st.text(max_size=12), JSON_VALUES, max_size=8) | JSON_VALUES)
def test_whatever_comes_is_a_request_or_a_problem(body: Any) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        assert isinstance(read(body), VideoRequest)
    except RequestInvalid as error:
        faults = error.faults
        assert faults
    orjson.dumps([[fault.pointer, fault.reason] for fault in faults])


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ({}, RequestReprocess()),
        ({"from": "planning"}, RequestReprocess(ReprocessFrom.PLANNING, None)),
        ({"from": "rendering", "scenes": [5, 2.0]}, RequestReprocess(ReprocessFrom.RENDERING, (2, 5))),
        ({"from": "upload", "scenes": []}, RequestReprocess(ReprocessFrom.UPLOAD, ())),
    ],
)
def test_what_a_reprocess_may_say(body: dict[str, Any], command: RequestReprocess) -> None:
    assert read_reprocess(body) == command


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"from": "cooking"}, {"/from": "unknown_value"}),
        ({"from": 3}, {"/from": "wrong_type"}),
        ({"from": None, "scenes": None}, {"/from": "wrong_type", "/scenes": "wrong_type"}),
        ({"scenes": [1, 1, -1, "2", 1.5]}, {
            "/scenes/1": "repeated", "/scenes/2": "out_of_range", "/scenes/3": "wrong_type", "/scenes/4": "wrong_type",
        }),
        ({"to": "metadata"}, {"/to": "unknown_field"}),
    ],
)  # fmt: skip
def test_what_a_reprocess_may_not_say(body: dict[str, Any], found: dict[str, str]) -> None:
    with pytest.raises(RequestInvalid) as caught:
        read_reprocess(body)
    assert {error.pointer: error.code for error in caught.value.faults} == found
