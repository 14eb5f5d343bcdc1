from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import evolve
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from handlers.generation.model import NarratedScene

T = TypeVar("T")


def _converter_with_paths() -> OrjsonConverter:
    converter = make_converter()
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    return converter


_converter: Final = _converter_with_paths()


def dump(value: object) -> bytes:
    """Any value of this module as JSON."""
    data: bytes = _converter.dumps(value)
    return data


def load(data: bytes, kind: type[T]) -> T:
    """The value of type `kind` in `data`. Raises ValueError, or cattrs' BaseValidationError."""
    return _converter.loads(data, kind)


def to_spec(value: object) -> dict[str, Any]:
    """A value of this module as a JSON object, for `SceneDraft.spec`."""
    spec: dict[str, Any] = _converter.unstructure(value)
    return spec


def from_spec(spec: dict[str, Any], kind: type[T]) -> T:
    """The value of type `kind` that `to_spec` was given."""
    return _converter.structure(spec, kind)


def dump_narrated(scene: NarratedScene) -> bytes:
    """JSON of a narrated scene without the place of its sound file."""
    return dump(evolve(scene, audio=None))


def load_narrated(data: bytes, audio: Path | None) -> NarratedScene:
    """The scene of `dump_narrated`, its sound file being at `audio` now."""
    return evolve(load(data, NarratedScene), audio=audio)
