"""JSON of the records in `model` and `render_model`; `Path`s become strings."""

from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import evolve
from cattrs.gen import make_dict_unstructure_fn, override
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from handlers.generation.model import NarratedScene
from handlers.generation.script.content import Bullet, Line, Quote, Sentence, Span, Table

#: Fields that are left out where they have their defaults, so that the scenes of most scripts keep their digests.
_RARE: Final = {
    Span: ("struck", "marked", "shift"),
    Bullet: ("done", "continued", "cut", "pause_s"),
    Table: ("align",),
    Sentence: ("cut",),
    Quote: ("cut",),
    Line: ("cut",),
}

T = TypeVar("T")


def _converter_with_paths() -> OrjsonConverter:
    converter = make_converter()
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    for kind, names in _RARE.items():
        rare: Any = {name: override(omit_if_default=True) for name in names}
        converter.register_unstructure_hook(kind, make_dict_unstructure_fn(kind, converter, **rare))
    return converter


_converter: Final = _converter_with_paths()


def dump(value: object) -> bytes:
    """Write any record, or a list of them, as JSON."""
    data: bytes = _converter.dumps(value)
    return data


def load(data: bytes, kind: type[T]) -> T:
    """Read a record of type `kind`. Raises ValueError, or cattrs' BaseValidationError."""
    return _converter.loads(data, kind)


def to_spec(value: object) -> dict[str, Any]:
    """Convert a record to a JSON object, for `SceneDraft.spec`."""
    spec: dict[str, Any] = _converter.unstructure(value)
    return spec


def from_spec(spec: dict[str, Any], kind: type[T]) -> T:
    """Convert a JSON object made by `to_spec` back to a record of type `kind`."""
    return _converter.structure(spec, kind)


def dump_narrated(scene: NarratedScene) -> bytes:
    """Write a narrated scene as JSON without the path of its sound file."""
    return dump(evolve(scene, audio=None))


def load_narrated(data: bytes, audio: Path | None) -> NarratedScene:
    """Read a scene written by `dump_narrated`, whose sound file is now at `audio`."""
    return evolve(load(data, NarratedScene), audio=audio)
