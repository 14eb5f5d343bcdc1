"""The pictures and clips that a script names, each with its line, and what is shown for each.

A picture that stands alone on its line is shown, one within a text is its description. Badges are dropped. Assets are
named as `asset:ID`, or by another address that the request names the asset of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from attrs import define, field, frozen
from markdown_it.token import Token

from eventflow.domain.values import PictureAsset, is_asset_id
from handlers.generation.control import Warned
from handlers.generation.errors import PicturesMissing, ScriptError
from handlers.generation.script.content import Clip, Image
from handlers.generation.script.nfc import nfc
from handlers.generation.script.picture_addresses import (
    CLIP_ENDINGS,
    ends_with,
    host_of,
    is_badge,
    is_drawing,
    kind_of,
)

FITS: Final = ("contain", "cover")
MOTIONS: Final = ("none", "zoom", "pan")
#: Of the page, at which a picture stands beside the rest of its scene.
SIDES: Final = ("left", "right")
#: The type of the tokens of pictures that are shown. `meta["block"]` is the block, None for one that is missing;
#: `meta["side"]` one of `SIDES`, or empty.
SHOWN: Final = "picture"
#: Most pictures that a message names.
MOST_NAMED: Final = 50
_SHOWN_CHARS: Final = 120
_ON_OFF: Final = {"on": True, "off": False}
_BREAKS: Final = ("softbreak", "hardbreak")


@frozen(kw_only=True)
class PictureReference:
    """A picture or clip as a script names it. `line` counts from 1; `options` are its title, `clip`: it is a video."""

    address: str
    line: int
    alt: str = ""
    options: str = ""
    clip: bool = False


@define(kw_only=True)
class Pictures:
    """The pictures of one script: makes their blocks, and notes what is missing, dropped or shown as text.

    `known` are the assets by address. `refused` says why an address gave no asset.
    """

    known: Mapping[str, PictureAsset] = field(factory=dict)
    refused: Mapping[str, str] = field(factory=dict)
    missing: list[PictureReference] = field(factory=list, init=False)
    _badges: list[PictureReference] = field(factory=list, init=False)
    _drawings: list[PictureReference] = field(factory=list, init=False)
    _within: list[PictureReference] = field(factory=list, init=False)

    def settle(self, tokens: Iterable[Token]) -> None:
        """Settle the pictures of parsed Markdown: those that are shown become tokens of the type SHOWN.

        Badges are removed. Raises ScriptError for wrong options.
        """
        before, line = "", 1
        for token in tokens:
            line = token.map[0] + 1 if token.map else line
            if token.children and any(child.type == "image" for child in token.children):
                kept = list(self._without_badges(token.children, line))
                token.children = self._shown(kept, line) if before == "paragraph_open" else kept
                self._within += [_reference(child, line) for child in token.children if child.type == "image"]
            before = token.type

    def block(self, reference: PictureReference) -> Image | Clip | None:
        """Return what is shown for a picture; None for one that is dropped, or missing. Raises ScriptError."""
        asset = self.known.get(nfc(reference.address))
        if asset is not None:
            return _named(asset, reference)
        if kind_of(reference.address) == "asset":
            return _uploaded(reference)
        if is_badge(reference.address):
            self._badges.append(reference)
        elif is_drawing(reference.address):
            self._drawings.append(reference)
        else:
            self.missing.append(reference)
        return None

    @property
    def dropped(self) -> tuple[str, ...]:
        """The descriptions and addresses of the badges that are left out."""
        return tuple(text for each in self._badges for text in (each.alt, each.address))

    def check(self) -> None:
        """Raises PicturesMissing for pictures without an asset."""
        if self.missing:
            raise PicturesMissing([(each.line, each.address, self._reason(each)) for each in self.missing])

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """Warnings about badges, and about pictures of which only the description is shown."""
        made = []
        if self._badges:
            made.append(Warned("badges_dropped", f"badges are left out: {_listed(self._badges)}"))
        if self._drawings:
            message = f"SVG can't be shown, its description is: {_listed(self._drawings)}; export it as PNG"
            made.append(Warned("picture_as_text", message))
        drawings = set(self._drawings)
        if within := [each for each in self._within if each not in drawings]:
            message = f"pictures within a text are shown as their descriptions: {_listed(within)}"
            made.append(Warned("picture_as_text", f"{message}; a picture is shown on a line of its own"))
        return tuple(made)

    def _reason(self, reference: PictureReference) -> str:
        if given := self.refused.get(reference.address):
            return given
        if kind_of(reference.address) == "url":
            return f"{host_of(reference.address) or 'its host'} isn't among the hosts of EVENTFLOW_ASSET_URLS"
        return ""

    def _without_badges(self, tokens: Sequence[Token], line: int) -> Iterator[Token]:
        """Yield all tokens but badges, and links of nothing but badges."""
        at = 0
        while at < len(tokens):
            end = _end_of_link(tokens, at)
            inner = tokens[at + 1 : end - 1] if end > at + 1 else tokens[at : at + 1]
            link = _link_of(tokens[at])
            badges = {id(token): token for token in inner if self._is_badge(token, link)}
            self._badges += [_reference(badge, line) for badge in badges.values()]
            rest = [token for token in inner if id(token) not in badges]
            if not badges or any(not _is_blank(token) for token in rest):
                yield from (token for token in tokens[at:end] if id(token) not in badges)
            at = end

    def _is_badge(self, token: Token, link: str) -> bool:
        if token.type != "image":
            return False
        address = str(token.attrs["src"])
        return nfc(address) not in self.known and is_badge(address, link)

    def _shown(self, tokens: Sequence[Token], line: int) -> list[Token]:
        """Turn the pictures that stand alone on their lines into tokens of the type SHOWN."""
        made: list[Token] = []
        for part in _lines(tokens):
            pictures = [token for token in part if token.type == "image" and token.attrs["src"]]
            others = [token for token in part if token.type not in ("image", "link_open", "link_close")]
            if not pictures or not all(_is_blank(token) for token in others):
                made += part
                continue
            for picture in pictures:
                reference = _reference(picture, line)
                drawing = is_drawing(reference.address) and nfc(reference.address) not in self.known
                block = self.block(reference)
                made += [picture] if drawing else [_shown_token(block, _side_of(reference))]
        return made


def _shown_token(block: Image | Clip | None, side: str) -> Token:
    return Token(SHOWN, "", 0, content="", meta={"block": block, "side": side})


def _side_of(reference: PictureReference) -> str:
    return next((side for side in SIDES if f"side={side}" in reference.options.split()), "")


def _is_blank(token: Token) -> bool:
    return token.type in _BREAKS or (token.type == "text" and not token.content.strip())


def _link_of(token: Token) -> str:
    return str(token.attrs.get("href", "")) if token.type == "link_open" else ""


def _end_of_link(tokens: Sequence[Token], at: int) -> int:
    """The position behind the link that begins at `at`, or behind the token there."""
    if tokens[at].type != "link_open":
        return at + 1
    for end in range(at + 1, len(tokens)):
        if tokens[end].type == "link_close":  # links hold no links
            return end + 1
    return at + 1


def _lines(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens line by line, each with the break at its end."""
    line: list[Token] = []
    for token in tokens:
        line.append(token)
        if token.type in _BREAKS:
            yield line
            line = []
    yield line


def _reference(token: Token, line: int) -> PictureReference:
    return PictureReference(
        address=str(token.attrs["src"]),
        line=token.meta.get("line", line),
        alt=description_of(token.children or ()) or token.content,
        options=str(token.attrs.get("title", "")),
        clip=bool(token.meta.get("clip")),
    )


def description_of(tokens: Iterable[Token]) -> str:
    """The text of a picture's description, without marks."""
    return "".join(" " if token.type in _BREAKS else token.content for token in tokens).strip()


def _listed(references: Sequence[PictureReference]) -> str:
    named = [f"line {each.line}: {(each.alt or each.address)[:_SHOWN_CHARS]!r}" for each in references[:MOST_NAMED]]
    more = len(references) - MOST_NAMED
    return "; ".join([*named, *([f"and {more} more"] if more > 0 else [])])


def _named(asset: PictureAsset, reference: PictureReference) -> Image | Clip:
    """The block of an asset that the request names for an address. A title that has no options is text."""
    clip = reference.clip or "clip" in reference.options.split() or ends_with(reference.address, CLIP_ENDINGS)
    clip = clip if asset.kind is None else asset.kind == "clip"
    words = [word for word in reference.options.split() if word != "clip"]
    has_options = any(_is_option(word) for word in words)
    chosen = _options(words, clip, reference.line) if has_options else {}
    alt = reference.alt or ("" if has_options else " ".join(words))
    return Clip(asset.asset, alt, **chosen) if clip else Image(asset.asset, alt, **chosen)


def _is_option(word: str) -> bool:
    return word.partition("=")[0] in ("fit", "motion", "side", "sound") and "=" in word


def _uploaded(reference: PictureReference) -> Image | Clip:
    """The block of `asset:ID "fit=cover motion=zoom"`, or of a clip: `"clip sound=off"`. Raises ScriptError."""
    asset = reference.address.partition(":")[2]
    if not is_asset_id(asset):
        where = f"the picture on line {reference.line}"
        raise ScriptError(f"{where}: {asset[:80]!r} is not the id of an asset (as_ and 32 hex digits)")
    words = reference.options.split()
    clip = reference.clip or "clip" in words
    chosen = _options([word for word in words if word != "clip"], clip, reference.line)
    return Clip(asset, reference.alt, **chosen) if clip else Image(asset, reference.alt, **chosen)


def _options(words: Sequence[str], clip: bool, line: int) -> dict[str, Any]:
    """Raises ScriptError for unknown options."""
    known: dict[str, Any] = {"sound": _ON_OFF} if clip else {"fit": FITS, "motion": MOTIONS, "side": SIDES}
    chosen: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in known or value not in known[name]:
            available = " ".join(f"{option}={'|'.join(values)}" for option, values in known.items())
            reason = f"has the unknown option {word[:40]!r}; available: {available}{'' if clip else ' clip'}"
            raise ScriptError(f"the picture on line {line} {reason}")
        chosen[name] = _ON_OFF[value] if clip else value
    chosen.pop("side", None)  # its place, which its token has
    return chosen
