"""Emoji and their names between colons are silent."""

import re
from collections.abc import Iterable
from typing import Final

from handlers.generation.narration.spoken_forms.rules import Rule

#: Extended_Pictographic of Unicode 16 without the signs that are text (©, ®, ™, ‼, ⁉, ℹ, arrows).
_PICTURES: Final = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23f3\u23f8-\u23fa\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e\u2611"
    "\u2614\u2615\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2648-\u2653\u265f\u2660\u2663"
    "\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1"
    "\u26bd\u26be\u26c4\u26c5\u26c8\u26ce\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702"
    "\u2705\u2708-\u270d\u270f\u2712\u2713-\u2718\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755"
    "\u2757\u2763\u2764\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a\U0001f1e6-\U0001f1ff"
    "\U0001f201-\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251\U0001f300-\U0001faff"
)
_PARTS: Final = "\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f"
_EMOJI: Final = f"(?:[0-9#*]\ufe0f?\u20e3|(?<=[\u00a9\u00ae\u2122])\ufe0f|[{_PICTURES}])[{_PARTS}{_PICTURES}]*+"
#: With the blank before it, where a blank or a mark follows.
_APART: Final = re.compile(rf" ?{_EMOJI}(?=[\s.,;:!?)]|$)")
_WITHIN: Final = re.compile(_EMOJI)
#: `:bug:`, as GitHub, chats and Markdown write emoji.
_SHORTCODE: Final = re.compile(r" ?(?<![\w:]):[a-z+-][a-z0-9_+-]{1,40}:(?![\w:])")


def _nothing(_: re.Match[str]) -> str:
    return ""


def rules(language: str) -> Iterable[Rule]:
    """Yield the rules, which are those of every language."""
    yield Rule(_APART, _nothing, f"{_PICTURES}\u20e3\ufe0f")
    yield Rule(_WITHIN, lambda _: " ", f"{_PICTURES}\u20e3\ufe0f")
    yield Rule(_SHORTCODE, _nothing, ":")
