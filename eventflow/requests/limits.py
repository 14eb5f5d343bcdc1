"""Limits of requests and scripts, each stated once: the reader, the parser and the JSON schema take them from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from eventflow.domain.values import MAX_SCRIPT_CHARS

__all__ = ["MAX_SCRIPT_CHARS"]

#: Faults that one answer lists; reading ends at the last of them, so that a hostile body costs no more than a bad one.
MAX_FAULTS: Final = 50

#: Factors of the usual speech rate. Beyond them espeak and Piper are hard to understand.
SLOWEST_RATE: Final = 0.5
FASTEST_RATE: Final = 2.0

#: How a script may be read, as requests and front matter name it; `AUTO` decides by the text.
AUTO: Final = "auto"
FORMATS: Final = (
    AUTO,
    "document",
    "plain",
    "video_script",
    "scene_list",
    "screenplay",
    "dialogue",
    "transcript",
    "subtitles",
    "slides",
    "thread",
    "verse",
    "html",
    "latex",
    "rst",
    "asciidoc",
    "org",
    "wiki",
    "ssml",
    "notebook",
)
#: What would be left out of a script, and can be kept.
KEEPABLE: Final = ("hashtags", "signature", "cues")
#: Voices of speakers in one request, and the characters of a name.
MAX_SPEAKERS: Final = 50
MAX_SPEAKER_CHARS: Final = 60
#: Names of voices, a regular expression.
VOICE_NAME: Final = r"[A-Za-z0-9:_.-]{1,64}"
#: BCP 47 tags of languages, a regular expression.
LANGUAGE_TAG: Final = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}"
#: Silence behind a line, and the length that a script may wish for a scene, in seconds.
LONGEST_PAUSE_S: Final = 10.0
LONGEST_WISH_S: Final = 600.0

#: Aspect ratios of videos, the usual one first.
ASPECT_NAMES: Final = ("16:9", "9:16", "1:1")

#: Scenes of a video, which are pages of its script.
MAX_SCENES: Final = 300
#: Highest scene number that a reprocess request may name. Numbers that the job doesn't have are the job's to refuse.
MAX_SCENE_NUMBER: Final = 10_000

#: Titles of videos, in characters. They stand on every page.
MAX_TITLE_CHARS: Final = 200
#: Headings of scenes, in characters.
MAX_HEADING_CHARS: Final = 300
MAX_TOPIC_CHARS: Final = 2_000

#: Merge fields of a request, and the characters of a value and of all values that are filled in.
MAX_MERGE_FIELDS: Final = 100
MAX_REPLACEMENT_CHARS: Final = 2_000
MAX_FILLED_CHARS: Final = MAX_SCRIPT_CHARS
#: Names of merge fields, a regular expression.
MERGE_NAME: Final = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"

#: Pictures of a script that a request names the assets of: a few for each scene.
MAX_PICTURES: Final = 1_000
#: Address of a picture, in characters. Data is named by a short form.
MAX_ADDRESS_CHARS: Final = 2_048

#: The requester's own JSON. It is stored in the first event and given back with every status.
MAX_PASSTHROUGH_BYTES: Final = 1_024
#: Retries of a failed step that a request may ask for.
MAX_RETRIES: Final = 3

#: All texts of one request or scene document together: those of the longest script, and what is said about them.
MAX_ALL_TEXT_CHARS: Final = 500_000
#: Texts (items, cells, lines and others) of one document: 300 pages can't show more.
MAX_TEXTS: Final = 30_000


@frozen(kw_only=True)
class PipelineFacts:
    """The facts about a pipeline that reading a request depends on; a plug-in states them as class attributes."""

    needs_script: bool = True


@frozen(kw_only=True)
class RequestLimits:
    """The limits and choices of this installation. `voices` None accepts any well-formed name."""

    pipelines: Mapping[str, PipelineFacts]
    default_pipeline: str
    max_script_chars: int = MAX_SCRIPT_CHARS
    themes: frozenset[str] = frozenset({"midnight"})
    voices: frozenset[str] | None = None
