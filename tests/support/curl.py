"""curl as a second opinion on HTTP: another implementation, that keeps every byte and header as it came."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen
from multidict import CIMultiDict


@frozen
class Asked:
    """One request; redirects are followed."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(factory=dict)


@frozen
class Answered:
    """The last answer of a request, after redirects."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


async def ask(curl: str, requests: Sequence[Asked], folder: Path) -> list[Answered]:
    """The answers to `requests`, one after the other over the connections of one process of `curl`, a path."""
    lines = list[str]()
    for number, asked in enumerate(requests):
        lines += ["next"] if number else []
        lines += ["silent", "show-error", "location", f'url = "{asked.url}"']
        lines += [f'dump-header = "{folder}/{number}.headers"', f'output = "{folder}/{number}.body"']
        lines += ["head"] if asked.method == "HEAD" else []
        lines += [f'header = "{name}: {_quoted(value)}"' for name, value in asked.headers.items()]
    (folder / "requests").write_text("\n".join(lines))
    process = await asyncio.create_subprocess_exec(curl, "--config", str(folder / "requests"))
    assert await process.wait() == 0, "curl has an error"
    return [_answered(folder, number, asked.method) for number, asked in enumerate(requests)]


async def break_off(curl: str, url: str, seconds: float) -> int:
    """Read slowly, and hang up after a while; the exit code (28 is a timeout)."""
    options = ("--silent", "--fail", "--location", "--limit-rate", "200k", "--max-time", str(seconds))
    process = await asyncio.create_subprocess_exec(curl, *options, "-o", "/dev/null", url)
    return await process.wait()


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _answered(folder: Path, number: int, method: str) -> Answered:
    blocks = (folder / f"{number}.headers").read_bytes().decode("latin-1").strip().split("\r\n\r\n")
    first, *lines = blocks[-1].split("\r\n")
    headers = CIMultiDict((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    body = folder / f"{number}.body"
    content = body.read_bytes() if body.exists() and method != "HEAD" else b""
    return Answered(int(first.split()[1]), headers, content)
