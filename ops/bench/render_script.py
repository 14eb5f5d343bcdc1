"""The script of the render benchmark: about ten seconds of narration a scene."""

from typing import Final

_SCENES: Final = (
    (
        "A call waits, a fact does not",
        "- A call asks for something and waits for the answer\n"
        "- An event states a fact and moves on to the next\n"
        "- Facts in order make a log to be read at any time",
    ),
    (
        "Writing a fact down",
        '```python\nawait log.append(\n    job_id,\n    VideoRequested(title="Demo"),\n    expected_version=0,\n)\n'
        "```\n\n"
        "Note: Appending names the version we expect. If someone else was faster, then nothing is written at all.",
    ),
    (
        "Who reads it?",
        "| Group | Reacts to | And states |\n|---|---|---|\n| generation | `ScenePlanned` | `SceneRendered` |\n"
        "| upload | `SceneRendered` | `SceneUploaded` |\n| metadata | `VideoUploaded` | `VideoPublished` |\n\n"
        "Note: Three groups read the same log. Each of them keeps its own place, so that none waits for another one.",
    ),
    (
        "How long is the queue?",
        "$$\nL = \\lambda \\cdot W\n$$\n\n- Arrivals: ten jobs a minute come in\n"
        "- Stay: three minutes, and so thirty are under way",
    ),
    (
        "In one sentence",
        "The truth is the log. The database is a cache of a subset of the log. What is derived can be derived again.",
    ),
    (
        "What you get",
        "1. Every scene is retried **on its own**\n2. A crash loses nothing that was acknowledged\n"
        "3. The bug of yesterday is fixed and history is played again",
    ),
)


def script(scenes: int) -> str:
    """Return a script of `scenes` scenes, each different from the others."""
    parts = []
    for number in range(scenes):
        heading, body = _SCENES[number % len(_SCENES)]
        again = f" ({number // len(_SCENES) + 1})" if number >= len(_SCENES) else ""
        parts.append(f"## {heading}{again}\n\n{body}\n")
    return "\n".join(parts)
