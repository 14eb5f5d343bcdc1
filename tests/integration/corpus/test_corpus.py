"""Each text of the corpus is planned as its author meant it: the right shape, nothing private, nothing lost."""

from __future__ import annotations

import pytest

from tests.integration.corpus.right_values import Text, faults, texts


@pytest.mark.parametrize("text", texts(), ids=str)
def test_a_text_is_planned_as_it_was_meant(text: Text) -> None:
    assert faults(text, text.plan()) == []


@pytest.mark.parametrize("text", texts(), ids=str)
def test_nothing_is_lost_in_silence(text: Text) -> None:
    assert [warned.message for warned in text.plan().warnings if warned.code == "not_shown"] == []


def test_the_corpus_is_wide() -> None:
    rooms = [text.path.parent.name for text in texts()]
    assert rooms.count("documents") >= 40
    assert rooms.count("pasted") >= 40
    assert rooms.count("controls") >= 20
