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


def test_the_language_of_a_text_is_known_or_not_claimed() -> None:
    """Of texts of hardly any words none is claimed. One text isn't planned: a site would fill in its addresses."""
    planned = [(text, text.plan().language) for text in texts() if "bici-del-nonno" not in str(text)]
    wrong = [(str(text), found.tag) for text, found in planned if found.sure and not text.speaks(found.tag)]
    assert wrong == []
    assert sum(found.sure for _, found in planned) >= 0.95 * len(texts())


def test_the_corpus_is_wide() -> None:
    rooms = [text.path.parent.name for text in texts()]
    assert rooms.count("documents") >= 40
    assert rooms.count("pasted") >= 40
    assert rooms.count("controls") >= 20
