"""Pictures beside a script: found, sent once, shown; what can't be is named in one answer before anything is sent."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from eventflow.assets.store import Assets
from ops.cli.app import main
from tests.support.mediafiles import picture, tone
from tests.support.web_app import Client, StartClient, client, clock, deps, settings, start, stores  # noqa: F401
from web.deps import WebDeps

RED, BLUE, GREEN = picture("PNG"), picture("PNG", colour=(0, 0, 250)), picture("JPEG", colour=(0, 250, 0))
DATA = f"data:image/jpeg;base64,{base64.b64encode(GREEN).decode()}"
DOCUMENT = f"""---
title: Tour
---
[![Build](https://img.example.org/b.svg)](https://ci.example.org)

![One](img/one.png)

Text before
![Again][one] and no line of its own

![Again][one]

<img src="img/gr%C3%B6%C3%9Fe.png?raw=true" alt="Two" width="200">

![[größe.png|400]]

![three]({DATA})

```
![not a picture]({DATA})
```

[one]: ./img/one.png "fit=cover"
"""


@frozen
class Ended:
    code: int
    out: str
    err: str

    @property
    def plan(self) -> dict[str, Any]:
        """Behind what the app under test logs."""
        made: dict[str, Any] = json.JSONDecoder().raw_decode(self.out[self.out.index("{\n") :])[0]
        return made


Run = Callable[..., Awaitable[Ended]]


@pytest.fixture
def run(client: Client, capsys: pytest.CaptureFixture[str]) -> Run:  # noqa: F811
    async def command(*arguments: str | Path, url: str | None = None) -> Ended:
        at = url or str(client.make_url("/"))
        code = await asyncio.to_thread(main, [*map(str, arguments), "--url", at])
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "talk"
    (made / "img").mkdir(parents=True)
    (made / "img/one.png").write_bytes(RED)
    (made / "img/größe.png").write_bytes(BLUE)
    (made / "größe.png").write_bytes(BLUE)
    (made / "talk.md").write_text(DOCUMENT)
    return made


def shown(plan: dict[str, Any]) -> list[str]:
    blocks = [block for scene in plan["scenes"] for block in scene.get("blocks", [])]
    return [block["asset"] for block in blocks if isinstance(block, dict) and "asset" in block]


async def stored(deps: WebDeps, asset: str) -> bool:  # noqa: F811
    return await Assets(deps.stores["workspace"]).find("local", asset) is not None


async def test_pictures_of_its_folder_are_sent_once_and_shown(run: Run, folder: Path, deps: WebDeps) -> None:  # noqa: F811
    planned = await run("plan", folder / "talk.md")
    assert planned.code == 0, planned.err
    one, again, two, embed, three = shown(planned.plan)
    assert (one, two) == (again, embed)
    assert len({one, two, three}) == 3
    assert all([await stored(deps, asset) for asset in (one, two, three)])
    assert "pictures  3, 3 of them new" in planned.err
    (dropped, within) = planned.plan["warnings"]
    assert "line 4: 'Build'" in dropped["message"]
    assert "line 9: 'Again'" in within["message"]

    made = await run("generate", folder / "talk.md")
    assert made.code == 0, made.err
    assert "pictures  3, 0 of them new" in made.err
    job = next(line.split()[1] for line in made.out.splitlines() if line.startswith("job "))
    record = await deps.log.load(job)
    assert record is not None
    request = record.job.request
    assert {each.address: each.asset for each in request.pictures if not each.address.startswith("data:")} == {
        "img/one.png": one,
        "./img/one.png": one,
        "img/gr%C3%B6%C3%9Fe.png?raw=true": two,
        "größe.png": two,
    }
    assert request.script.count("\n") == DOCUMENT.count("\n")
    assert request.script.count(DATA) == 1, "in code it is text"


async def test_what_is_missing_is_named_at_once_and_nothing_is_sent(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "tour.md"
    script.write_text(
        "# Tour\n\n## Screens\n\n![The main window](img/main.png)\n\n"
        '![Settings](./img/settings.png "Settings") ![Help](https://example.org/help.png)\n'
    )
    for command in ("plan", "generate"):
        ended = await run(command, script, url="http://127.0.0.1:9")
        assert ended.code == 2
        for named in (
            "line 5: 'img/main.png'",
            "line 7: './img/settings.png'",
            "line 7: 'https://example.org/help.png'",
        ):
            assert named in ended.err
        assert "--pictures" in ended.err


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("../secret.png", "outside"),
        ("img/../../secret.png", "outside"),
        ("%2e%2e/secret.png", "outside"),
        ("..\\\\secret.png", "outside"),
        ("link.png", "outside"),
        ("linked/secret.png", "outside"),
        ("{folder}/secret.png", "outside"),
        ("file://{folder}/secret.png", "outside"),
        ("none.png", "doesn't exist"),
        ("a%00b.png", "doesn't exist"),
        (f"{'x' * 400}.png", "doesn't exist"),
        ("img", "doesn't exist"),
        ("fifo", "doesn't exist"),
        ("talk.md", "format is unknown"),
        (".env", "format is unknown"),
        ("tone.wav", "is a sound"),
        ("cid:part1", "neither a path nor a URL"),
        ("attachment:x.png", "neither a path nor a URL"),
    ],
)
async def test_paths_stay_in_the_folder_of_the_script(address: str, why: str, run: Run, folder: Path) -> None:
    outside = folder.parent
    (outside / "secret.png").write_bytes(RED)
    (folder / "link.png").symlink_to(outside / "secret.png")
    (folder / "linked").symlink_to(outside)
    (folder / ".env").write_text("KEY=secret")
    (folder / "tone.wav").write_bytes(tone(0.1))
    os.mkfifo(folder / "fifo")
    (folder / "talk.md").write_text(f"## A\n\n![x](<{address.format(folder=outside)}>)\n\n![y](img/one.png)")
    ended = await run("plan", folder / "talk.md", url="http://127.0.0.1:9")
    assert ended.code == 2, ended.out
    assert "line 3: " in ended.err
    assert why in ended.err
    assert "img/one.png" not in ended.err


async def test_folders_that_the_user_names_are_open(run: Run, folder: Path) -> None:
    public = folder.parent / "public"
    public.mkdir()
    (public / "logo.png").write_bytes(RED)
    text = "## A\n\n![x](../public/logo.png)\n\n![x](/logo.png)\n\n![x](logo.png)"
    (folder / "talk.md").write_text(text)
    assert (await run("plan", folder / "talk.md")).code == 2
    ended = await run("plan", folder / "talk.md", "--pictures", public)
    assert ended.code == 0, ended.err
    assert len(shown(ended.plan)) == 3
    assert len(set(shown(ended.plan))) == 1
    assert (await run("plan", folder / "talk.md", "--pictures", folder / "none")).code == 2


async def test_a_plan_without_a_service(run: Run, folder: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    (folder / "text.md").write_text("## A\n\nNo pictures.")
    assert (await run("plan", folder / "text.md", url=nowhere)).code == 0
    ended = await run("plan", folder / "talk.md", url=nowhere)
    assert (ended.code, "a service has to take in" in ended.err) == (1, True)
    (folder / "web.md").write_text("## A\n\n![x](https://example.org/x.png)")
    ended = await run("plan", folder / "web.md", url=nowhere)
    assert (ended.code, "line 3: 'https://example.org/x.png'" in ended.err) == (1, True)


async def test_what_the_service_refuses_is_named_with_its_lines(run: Run, folder: Path) -> None:
    for name in ("img/one.png", "größe.png"):
        (folder / name).write_bytes(RED[:60])
    ended = await run("generate", folder / "talk.md")
    assert ended.code == 1
    assert "line 6: 'img/one.png'" in ended.err
    assert "line 15: 'größe.png'" in ended.err
