"""Scripts and scenes from files, and what `eventflow plan` prints of them."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from ops.cli import main
from ops.cli.common import UsageError
from ops.cli.request_files import merge_fields, read_source, style_options

SCENES = [{"title": "Hi"}]


def file_of(tmp_path: Path, name: str, content: object) -> str:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else orjson.dumps(content))
    return str(path)


def test_a_file_is_a_script_or_scenes(tmp_path: Path) -> None:
    assert read_source(file_of(tmp_path, "a.md", "[x] # Hi")) == {"script": "[x] # Hi"}
    assert read_source(file_of(tmp_path, "a.json", SCENES)) == {"scenes": SCENES}
    plan = {"version": 1, "title": "T", "scenes": SCENES, "voice": None, "style": {"theme": "x"}, "warnings": []}
    made = {"title": "T", "scenes": SCENES, "voice": None, "theme": "x"}
    assert read_source(file_of(tmp_path, "b.JSON", plan)) == made


@pytest.mark.parametrize("mark", ["```json\n{}\n```", "Here it is:\n\n```\n{}\n```\n", "{}"])
def test_scenes_of_an_assistant_are_a_script_with_their_fence_or_a_comma_too_many(tmp_path: Path, mark: str) -> None:
    text = mark.replace("{}", '[{"visual": "A cat", "voiceover": "It sleeps.",},]')
    assert read_source(file_of(tmp_path, "a.json", text)) == {"script": text}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_texts_of_editors_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.md"
    path.write_bytes("# Größe".encode(encoding))
    assert read_source(str(path)) == {"script": "# Größe"}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ("# A\n\nCaf\u00e9".encode("latin-1"), r"line 3, byte 8\); save it with the encoding UTF-8"),
        (b"PK\x03\x04\x14\x00\xff", "save it as plain text or Markdown"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF"),
    ],
)
def test_what_is_no_text_is_named_with_what_to_do(tmp_path: Path, data: bytes, match: str) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(UsageError, match=match):
        read_source(str(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "isn't valid JSON"),
        ({"title": "x"}, "holds no scenes"),
        ({"scenes": SCENES, "sceens": 1}, "unknown members: sceens"),
        ({"scenes": SCENES, "version": 2}, "version 2; this program reads version 1"),
        ({"scenes": SCENES, "style": 3}, "style"),
    ],
)
def test_files_that_are_wrong_are_told_why(tmp_path: Path, content: object, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        read_source(file_of(tmp_path, "a.json", content))


def test_options_are_fields_of_the_request() -> None:
    assert style_options("none", None, None, None, None) == {"voice": None}
    assert style_options("de", 1.5, "paper", "1:1", "no") == {
        "voice": {"name": "de", "rate": 1.5}, "theme": "paper", "aspect": "1:1", "captions": False,
    }  # fmt: skip
    assert style_options(None, None, None, None, "burned") == {"captions": "burned"}
    assert merge_fields(["a=b=c", "d="]) == {"merge": [{"find": "a", "replace": "b=c"}, {"find": "d", "replace": ""}]}
    with pytest.raises(UsageError, match="yes, no or burned"):
        style_options(None, None, None, None, "maybe")
    with pytest.raises(UsageError, match="NAME=TEXT"):
        merge_fields(["a"])


def test_a_plan_is_printed_and_planned_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = file_of(tmp_path, "a.md", "---\nvoice: none\n---\n# Dear {{name}}\n\n- b")
    assert main(["plan", script, "--merge", "name=Ada", "--aspect", "9:16"]) == 0
    printed = capfd.readouterr().out
    plan = orjson.loads(printed)
    assert (plan.pop("read_as")["shape"], plan.pop("left_out")) == ("document", [])
    assert (plan["title"], plan["voice"], plan["style"]["aspect"]) == ("Dear Ada", None, "9:16")
    assert main(["plan", file_of(tmp_path, "a.json", printed)]) == 0
    assert orjson.loads(capfd.readouterr().out) == plan


def test_a_plan_tells_the_language_that_its_voice_follows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", file_of(tmp_path, "a.md", "---\nlang: de\n---\n# Ahoi\n\nMoin.")]) == 0
    printed = capfd.readouterr()
    assert orjson.loads(printed.out)["voice"]["name"] == "de"
    assert "The language is de (`lang` in its front matter says so), and de reads it" in printed.err
    assert main(["plan", file_of(tmp_path, "b.md", "# Hello")]) == 0
    assert "The language" not in capfd.readouterr().err


def test_what_can_not_be_planned_is_told_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", file_of(tmp_path, "a.json", [{"titel": "x"}])]) == 1
    assert "did you mean 'title'?" in capfd.readouterr().err
