"""Lines of `curl` in the documentation as HTTP requests, for machines that have no curl."""

from __future__ import annotations

import re
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from string import Template

from attrs import define, field, frozen

from tests.support.docs import shell_lines

#: Options with a value, and those without one that a request doesn't need to know of: silent, and to follow redirects.
_VALUED = {"-H", "-d", "-X", "-o", "-r", "--data-binary"}
_PLAIN = {"-s", "-L", "-I"}


@define
class Request:
    """The request of one line. `target` is the file for its answer; `follows` says whether redirects are followed."""

    line: str
    url: str = ""
    method: str = "GET"
    data: bytes | None = None
    headers: dict[str, str] = field(factory=dict)
    target: str = ""
    follows: bool = False


@frozen
class Answer:
    status: int
    body: bytes


def requests_of(text: str, variables: Mapping[str, str], folder: Path) -> list[Request]:
    """Every line of the page that begins with curl, or keeps its answer in a variable."""
    lines = [re.sub(r"^\w+=\$\((curl .*)\)$", r"\1", line.strip()) for line in shell_lines(text)]
    return [_request(line, variables, folder) for line in lines if line.startswith("curl ")]


def send(request: Request) -> Answer:
    """The answer, of whatever status; redirects are followed where the line asks for it."""
    opener = urllib.request.build_opener() if request.follows else urllib.request.build_opener(_NoRedirect)
    asked = urllib.request.Request(request.url, request.data, request.headers, method=request.method)
    try:
        with opener.open(asked, timeout=30) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _request(line: str, variables: Mapping[str, str], folder: Path) -> Request:
    """Raises AssertionError for an option that isn't known here."""
    words = shlex.split(Template(line).safe_substitute(variables), comments=True)[1:]
    words = words[: words.index("|")] if "|" in words else words
    request = Request(line)
    while words:
        word = words.pop(0)
        if word in _VALUED:
            _set(request, word, words.pop(0), folder)
        elif word.startswith("-"):
            letters = {f"-{letter}" for letter in word[1:]}
            assert letters <= _PLAIN, f"{word} isn't known here: {line}"
            request.follows = request.follows or "-L" in letters
            request.method = "HEAD" if "-I" in letters else request.method
        else:
            request.url = word
    return request


def _set(request: Request, option: str, value: str, folder: Path) -> None:
    if option == "-H":
        name, _, text = value.partition(": ")
        request.headers[name] = text
    elif option == "-X":
        request.method = value
    elif option == "-o":
        request.target = value
    elif option == "-r":
        request.headers["Range"] = f"bytes={value}"
    else:
        request.data = (folder / value[1:]).read_bytes() if value.startswith("@") else value.encode()
        request.method = "POST" if request.method == "GET" else request.method
