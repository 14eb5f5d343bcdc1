"""Reads lists of scenes in JSON and YAML, as other tools and chat models write them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml
from attrs import frozen

from eventflow.requests.limits import LONGEST_WISH_S
from handlers.generation.control import Warned
from handlers.generation.script.declared_languages import FRONT_MATTER_KEYS, tag_of
from handlers.generation.script.lenient_json import read_whole
from handlers.generation.script.shapes.build import Draft, rows, sections_of, speakers_of, title_of, unquoted
from handlers.generation.script.shapes.characters import written_value
from handlers.generation.script.shapes.lines import without_times
from handlers.generation.script.shapes.reading import LeftOut, Reading

MAX_DEPTH: Final = 20
#: Nodes of YAML: aliases may make many of few characters.
_MOST_NODES: Final = 60_000
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_BETWEEN: Final = re.compile(r"[\s_\-'’]")


def _key(name: Any) -> str:
    """The key as it is compared: without case, accents, blanks and signs between its words."""
    letters = _ACCENTS.sub("", unicodedata.normalize("NFD", str(name).casefold()))
    return unicodedata.normalize("NFC", _BETWEEN.sub("", letters))


def _keys(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_key, names)))


_SPEECH: Final = _keys(
    "narration", "narrationtext", "voiceover", "voiceovertext", "voiceoverscript", "vo", "audiotext", "spokentext",
    "spoken", "narrator", "script",
    "scripttext", "dialogue", "speech", "say", "spokenwords", "audio", "voicetext", "sprechertext", "sprecher",
    "narración", "locución", "locucion", "narracion", "narração",
    "locução", "narracao", "locucao", "voixoff", "narrazione", "voce", "旁白", "解说", "配音", "台词", "口播",
    "ナレーション", "セリフ", "내레이션", "나레이션", "대사",
    "диктор", "закадровыйтекст", "текстдиктора", "lektor", "komentář", "seslendirme", "anlatım", "αφήγηση",
    "التعليقالصوتي", "نصالراوي", "वाचन",
    "text", "line", "content", "sentence", "body", "message", "texte", "texto", "testo", "tekst", "текст", "文案",
    "テキスト", "텍스트",
)  # fmt: skip
_PICTURE: Final = _keys(
    "visual", "visuals", "visualdescription", "visualcue", "visualcues", "imageprompt", "imagedescription", "image",
    "images", "broll", "brollsuggestions", "shot", "shottype",
    "searchterms", "searchterm", "searchquery", "searchqueries", "keywords", "video", "videoprompt", "prompt",
    "picture", "footage", "stockfootage", "scenedescription", "animation", "camera",
    "visualprompt", "bild", "imagen", "imagem", "immagine", "visuel", "画面", "映像", "화면", "obraz", "кадр",
    "изображение", "action", "setting",
)  # fmt: skip
_SHOWN: Final = _keys(
    "onscreentext", "textonscreen", "textoverlay", "overlaytext", "overlay", "caption", "captiontext", "captions",
    "screentext", "super", "title_card", "titlecard", "lowerthird", "graphictext",
    "einblendung", "textoenpantalla", "textonatela", "testoaschermo", "texteàlécran", "texteécran",
    "texteaffiché", "textopantalla", "textotela", "testoschermo", "textimbild", "字幕", "テロップ", "자막",
    "титр", "текстнаэкране", "onscreen", "bullets", "bulletpoints", "points",
)  # fmt: skip
_LENGTH: Final = _keys(
    "duration",
    "durationseconds",
    "durations",
    "durationsec",
    "seconds",
    "secs",
    "time",
    "timestamp",
    "timing",
    "length",
    "timerange",
    "durationinseconds",
    "estimatedduration",
    "dauer",
    "durée",
    "duración",
    "duração",
    "durata",
    "时长",
    "秒数",
    "길이",
    "длительность",
)
_SPEAKER: Final = ("speaker", "role", "character", "voice", "host", "name", "speakername", "who", "actor")
#: "Title" in other languages.
_TITLES: Final = _keys("titel", "titre", "título", "titolo", "标题", "タイトル", "제목")
_TITLE: Final = _keys("title", "scenetitle", "heading", "section", "sectiontitle", "header", *_TITLES, "заголовок")
_NUMBER: Final = (
    "scene",
    "scenenumber",
    "sceneid",
    "id",
    "shotnumber",
    "number",
    "index",
    "segment",
    "segmentid",
    "order",
    "no",
    "n",
    "slide",
    "slidenumber",
    "part",
    "shot",
)
#: Members of a mapping around the scenes.
_WHOLE_TITLE: Final = _keys("title", "videotitle", "name", *_TITLES, "название", "topic")
_DESCRIPTION: Final = ("description", "caption", "summary", "videodescription")
_TAGS: Final = ("hashtags", "tags")
_ENDS: Final = (
    ("hook", 0),
    ("intro", 0),
    ("introduction", 0),
    ("opening", 0),
    ("cta", 1),
    ("calltoaction", 1),
    ("outro", 1),
    ("conclusion", 1),
    ("closing", 1),
)
_LEADING: Final = re.compile(r"\s*(?:[\[{]|(?:---[^\n]*\n|\s*#[^\n]*\n)*+\s*(?:- )?[\w\"' -]{1,40}:(?:\s|$))")


@frozen
class SceneList:
    """Scenes as mappings, and the members around them."""

    scenes: tuple[Mapping[str, Any], ...]
    around: Mapping[str, Any]


def load(text: str) -> Any:
    """The list or object of a JSON or YAML text; None for anything else, and in place of what is nested too deeply."""
    stripped = text.strip()
    if not _LEADING.match(stripped):
        return None
    if stripped[:1] in "[{":
        try:
            value = json.loads(stripped)
        except RecursionError:
            return None
        except ValueError:
            value = _lenient(stripped)
    else:
        value = _yaml(stripped)
    return written_value(value, MAX_DEPTH) if isinstance(value, dict | list) else None


def _lenient(text: str) -> Any:
    """The value of JSON with a comma too many or another small fault; None for anything else."""
    try:
        return read_whole(text)
    except ValueError:
        return None


def _yaml(text: str) -> Any:
    if not re.search(r"^\s*- ", text, re.MULTILINE) or "\t" in text:
        return None
    depth = nodes = 0
    try:
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            nodes += 1
            if depth > MAX_DEPTH or nodes > _MOST_NODES or isinstance(event, yaml.AliasEvent):
                return None
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader makes texts, lists and mappings alone
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return None


def scene_list(value: Any) -> SceneList | None:
    """The scenes in a JSON or YAML value: a list of mappings most of which have a key of speech; None without."""
    if isinstance(value, list):
        return SceneList(tuple(value), {}) if _are_scenes(value) else None
    if not isinstance(value, dict):
        return None
    lists = [(name, each) for name, each in value.items() if isinstance(each, list) and _are_scenes(each)]
    if not lists:
        nested = [each for each in value.values() if isinstance(each, dict)]
        found = [inner for each in nested if (inner := scene_list(each)) is not None]
        if len(found) != 1:
            return None
        return SceneList(found[0].scenes, {**value, **found[0].around})
    name, scenes = max(lists, key=lambda each: len(each[1]))
    around = {key: each for key, each in value.items() if key != name}
    return SceneList(tuple(scenes), around)


def _are_scenes(values: Sequence[Any]) -> bool:
    if not values or not all(isinstance(value, dict) for value in values):
        return False
    spoken = sum(any(_is_speech(key, each) for key, each in value.items()) for value in values)
    return spoken >= 0.8 * len(values)


def _is_speech(key: Any, value: Any) -> bool:
    return _key(key) in _SPEECH and isinstance(value, str) and bool(value.strip())


def of_other_tools(value: Any) -> bool:
    """Tell whether scenes aren't a scene document: it has a version, and scenes with layouts, blocks or narration."""
    scenes = value.get("scenes") if isinstance(value, dict) else value
    if isinstance(value, dict) and "version" in value and "style" in value:
        return False
    if not isinstance(scenes, list) or any(isinstance(s, dict) and s.keys() & {"layout", "blocks"} for s in scenes):
        return isinstance(value, dict) and not isinstance(scenes, list) and scene_list(value) is not None
    ours = {"layout", "title", "blocks", "narration", "part", "parts", "hint", "wished_s"}
    foreign = any(isinstance(scene, dict) and scene.keys() - ours for scene in scenes)
    around = isinstance(value, dict) and bool(
        value.keys() - {"version", "title", "scenes", "voice", "style", "warnings"}
    )
    return (
        (foreign or around)
        and "version" not in (value if isinstance(value, dict) else {})
        and scene_list(value) is not None
    )


def only_fence(text: str) -> tuple[str, int] | None:
    """The content of the only fence of a text and its first line (from 0), where little stands around it."""
    lines = text.split("\n")
    marks = [at for at, line in enumerate(lines) if line.lstrip()[:3] in ("```", "~~~")]
    if len(marks) != 2:
        return None
    first, last = marks
    language = lines[first].strip().strip("`~").strip().lower()
    if language not in ("", "json", "yaml", "yml", "json5", "text") or lines[last].strip().strip("`~"):
        return None
    around = [line for line in (*lines[:first], *lines[last + 1 :]) if line.strip()]
    if len(around) > 6 or any(line.startswith("#") for line in around):
        return None
    return "\n".join(lines[first + 1 : last]), first + 1


def read_scene_list(found: SceneList, *, first_line: int = 0) -> Reading:
    """Read the scenes of a list."""
    drafts: list[Draft] = []
    unknown: dict[str, list[str]] = {}
    around = {_key(key): value for key, value in found.around.items()}
    edges: dict[int, list[str]] = {0: [], 1: []}
    for name, side in _ENDS:
        if isinstance(around.get(name), str):
            edges[side].append(around[name])
        elif isinstance(around.get(name), dict):
            edges[side] += [str(value) for key, value in around[name].items() if _is_speech(key, value)][:1]
    for text in edges[0]:
        drafts.append(_spoken(text))
    for scene in found.scenes:
        drafts.append(_scene(scene, unknown))
    for text in edges[1]:
        drafts.append(_spoken(text))
    title = title_of(next((str(around[name]) for name in _WHOLE_TITLE if isinstance(around.get(name), str)), ""))
    sections = sections_of(drafts, title)
    facts = {}
    if description := next((around[n] for n in _DESCRIPTION if isinstance(around.get(n), str)), ""):
        facts["description"] = description
    if tags := next((around[n] for n in _TAGS if isinstance(around.get(n), str | list)), None):
        facts["tags"] = ", ".join(map(str, tags)) if isinstance(tags, list) else str(tags)
    known = {*_WHOLE_TITLE, *_DESCRIPTION, *_TAGS, *_LENGTH, *(name for name, _ in _ENDS)}
    known |= {name for name in FRONT_MATTER_KEYS if isinstance(tag := around.get(name), str) and tag_of(tag)}
    unknown |= {str(key): _texts(value) for key, value in found.around.items() if _key(key) not in known}
    warnings: tuple[Warned, ...] = ()
    if unknown:
        names = ", ".join(sorted(unknown)[:20])
        warnings = (Warned("scene_list_keys", f"keys of the scenes that aren't read: {names}"),)
    left = [LeftOut.of(first_line + 1, f"{hint}", "direction") for draft in drafts for hint in draft.hints]
    left += [LeftOut.of(first_line + 1, f"{key}: {text}", "fact") for key, texts in unknown.items() for text in texts]
    return Reading(
        shape="scene_list", sections=sections, title=title, facts=facts, warnings=warnings, left_out=tuple(left),
        speakers=speakers_of(sections),
    )  # fmt: skip


def _spoken(text: str) -> Draft:
    draft = Draft()
    draft.say(text)
    return draft


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if value is None or isinstance(value, bool):
        return []
    return [str(value)] if str(value).strip() and str(value).strip().lower() not in ("null", "none", "~") else []


def _scene(scene: Mapping[str, Any], unknown: dict[str, list[str]]) -> Draft:
    draft = Draft()
    keys = {_key(key): key for key in scene}
    speech = next((keys[name] for name in _SPEECH if name in keys and _is_speech(keys[name], scene[keys[name]])), None)
    speaker = next((keys[name] for name in _SPEAKER if name in keys and isinstance(scene[keys[name]], str)), None)
    if speech is not None:
        name = str(scene[speaker]).strip()[:60] if speaker is not None else ""
        for part in str(scene[speech]).split("\n"):
            if part.strip():
                draft.say(part, speaker=name)
    title = next((keys[name] for name in _TITLE if name in keys and isinstance(scene[keys[name]], str)), None)
    if title is not None:
        draft.title = str(scene[title]).strip()
    for name, key in keys.items():
        if key in (speech, speaker, title):
            continue
        if name in _SHOWN:
            shown = rows([unquoted(row) for text in _texts(scene[key]) for row in text.split("\n")])
            if shown.sentences:
                draft.show(shown)
        elif name in _PICTURE:
            draft.hint(", ".join(_texts(scene[key])))
        elif name in _LENGTH:
            draft.wished_s = _seconds(scene[key])
        elif name not in (*_NUMBER, *_SPEAKER):
            unknown.setdefault(str(key), []).extend(_texts(scene[key]))
    return draft


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        return float(value) if abs(value) <= LONGEST_WISH_S else LONGEST_WISH_S if value > 0 else None
    text = value.strip()
    if re.fullmatch(r"\d{1,4}(?:\.\d{1,3})?", text):
        return float(text)
    _, span, length = without_times(text)
    if span is not None and span[1] is not None:
        return span[1] - span[0]
    return length
