"""`ops/docs/scripts.md` is true: every example on it is read, and fits the schema."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import orjson
import pytest

from handlers.generation.script.content import Chart, Clip, Code, Columns, Diagram, Image
from handlers.generation.script.document import LAYOUTS, read_scenes, scenes_schema, write_document
from handlers.generation.script.frontmatter import _KEYS, split_front_matter
from handlers.generation.script.script import parse_script
from tests.support.docs import DOCS

PAGE = (DOCS / "scripts.md").read_text()
EXAMPLES = re.findall(r"^(`{3,})(json|markdown) ?(\w*)\n(.*?)^\1$", PAGE, re.MULTILINE | re.DOTALL)


def examples(kind: str) -> list[Any]:
    return [orjson.loads(text) for _, language, name, text in EXAMPLES if (language, name) == ("json", kind)]


def documents() -> list[dict[str, Any]]:
    scenes = [*examples("scene"), *({"blocks": blocks} for blocks in examples("blocks"))]
    return [*examples("document"), *({"version": 1, "scenes": [scene]} for scene in scenes)]


@pytest.mark.parametrize("document", documents())
def test_examples_are_read_and_fit_the_schema(document: dict[str, Any]) -> None:
    script = read_scenes(document)
    for scenes in (document["scenes"], write_document(script)["scenes"]):
        jsonschema.Draft202012Validator(scenes_schema()).validate(scenes)


def test_all_there_is_is_on_the_page() -> None:
    kinds = {block["kind"] for blocks in examples("blocks") for block in blocks if isinstance(block, dict)}
    schema = scenes_schema()["items"]["properties"]
    assert kinds == {option["properties"]["kind"]["const"] for option in schema["blocks"]["items"]["anyOf"][1:]}
    assert all(f"`{name}`" in PAGE for name in (*LAYOUTS, *schema, *_KEYS))


def test_the_markdown_example_has_everything() -> None:
    (text,) = [text for _, language, _, text in EXAMPLES if language == "markdown"]
    script = parse_script(text, merge={"name": "Ada"})
    blocks = [block for scene in script.scenes for block in scene.blocks]
    assert {Code, Image, Clip, Chart, Diagram, Columns} <= {type(block) for block in blocks}
    assert [scene.layout for scene in script.scenes] == [
        "title", "content", "image", "content", "content", "content", "content", "outro",
    ]  # fmt: skip
    assert next(block.highlight for block in blocks if isinstance(block, Code)) == (1, 3, 4)
    assert split_front_matter(text).front.captions == "burned"
    assert read_scenes(write_document(script)) == script
