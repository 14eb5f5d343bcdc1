"""Names of emoji between colons are emoji, those of icons nothing; times and unknown names are text."""

import pytest

from handlers.generation.script.inline import parse_inline, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (":bug: fixed :tada:", "🐛 fixed 🎉"),
        (":+1: and :-1:", "👍 and 👎"),
        ("at 10:30:15 or 3:4:5", "at 10:30:15 or 3:4:5"),
        (":no-such-name: a:b:c", ":no-such-name: a:b:c"),
        ("`:bug:` in code", ":bug: in code"),
        ("[next :material-arrow-right:](a.md) end", "next end"),
        (":material-clock-fast:{ .lg .middle } __Fast__", "Fast"),
        ("a :octicons-arrow-right-24: b :fontawesome-brands-x-twitter:, :simple-github: c", "a b , c"),
        (
            "`:material-home:` a:material-home: :material-: :simple:",
            ":material-home: a:material-home: :material-: :simple:",
        ),
    ],
)
def test_a_name_between_colons(text: str, shown: str) -> None:
    assert plain(parse_inline(text)) == shown
