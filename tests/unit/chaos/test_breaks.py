"""Each break still changes the commit script, however that is written today."""

from __future__ import annotations

from importlib.resources import files

import pytest

from ops.chaos.breaks import BREAKS

SOURCE = files("eventflow.log").joinpath("scripts", "commit.lua").read_text()


@pytest.mark.parametrize("kind", BREAKS)
def test_it_alters_the_script(kind: str) -> None:
    assert BREAKS[kind](SOURCE) != SOURCE


def test_a_script_that_it_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match=r"commit\.lua has changed"):
        BREAKS["no-fencing"]("return 1")
