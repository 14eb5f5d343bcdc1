"""Scenes that were made otherwise than was asked are no other job's."""

import pytest

from eventflow.domain import events as ev
from eventflow.domain.decide import MAX_WARNINGS
from eventflow.domain.evolve import fold
from eventflow.domain.values import Step
from handlers.generation.reuse import made_as_requested
from tests.support import stories as s


def warned(code: str, scene: int, message: str = "m") -> ev.WarningRaised:
    return ev.WarningRaised(run=1, step=Step.RENDER_SCENE, scene=scene, code=code, message=message)


@pytest.mark.parametrize(
    ("warnings", "wanted"),
    [
        ([], True),
        ([warned("block_as_text", 0), warned("narrator_fell_back", 0)], True),
        ([warned("missing_glyphs", 1)], True),
        ([warned("block_as_text", 1)], False),
        ([warned("narrator_fell_back", 1)], False),
        ([warned("missing_glyphs", 0, str(number)) for number in range(MAX_WARNINGS - 1)], True),
        ([warned("missing_glyphs", 0, str(number)) for number in range(MAX_WARNINGS)], False),
    ],
    ids=["none", "of another scene", "of another kind", "a block", "a narrator", "many", "no room for more"],
)
def test_a_scene_is_kept_for_others_where_it_was_made_as_wanted(warnings: list[ev.Event], wanted: bool) -> None:
    assert made_as_requested(fold([*s.planned(2), *warnings]), 1) is wanted  # type: ignore[arg-type]


def test_no_scene_is_kept_where_another_narrator_speaks() -> None:
    replaced = ev.NarratorReplaced(run=1, scene=0, voice="openai:alloy", instead="en-us")
    job = fold([s.requested(), *s.announced(1), replaced, s.scene_planned(0)])
    assert not made_as_requested(job, 0)  # type: ignore[arg-type]
