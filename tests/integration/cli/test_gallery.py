"""`eventflow gallery`: sheets of what is asked for, and what it says where there is no such thing."""

from pathlib import Path

import pytest
from PIL import Image

from ops.cli import main


def test_a_sheet_and_an_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "gallery"
    assert main(["gallery", "--out", str(out), "--theme", "paper", "--aspect", "1:1"]) == 0
    assert {path.name for path in out.iterdir()} == {"paper-1x1.png", "index.html"}
    with Image.open(out / "paper-1x1.png") as sheet:
        assert sheet.width > 2_000
    assert "paper-1x1.png" in (out / "index.html").read_text()
    assert "pages" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--theme", "neon"], "available: midnight"), (["--aspect", "4:3"], "available: 16:9")]
)
def test_what_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert main(["gallery", "--out", str(tmp_path), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("")
    assert main(["gallery", "--out", str(tmp_path / "x" / "y")]) == 2
    assert "can't be created" in capsys.readouterr().err
