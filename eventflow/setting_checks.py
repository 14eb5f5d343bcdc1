"""Settings are parsed one after the other, and everything that is wrong with them is told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import attrs

from eventflow.domain.values import Step
from eventflow.light import environ

T = TypeVar("T")

PREFIX = "EVENTFLOW"


class Refused(ValueError):
    """Says itself what is wrong with a value, without repeating what may be secret."""


class Checks:
    """Parses one variable after the other; a bad one is noted with the way out, and its default taken for now."""

    def __init__(self, raws: Sequence[Any], kinds: Sequence[Any], problems: list[str]) -> None:
        """`raws` are the variables as text, of the config classes `kinds`; what is wrong is added to `problems`."""
        self._problems = problems
        self._raw = _merged(raws)
        self._defaults = _merged([environ.to_config(kind, {}) for kind in kinds])

    def value(self, name: str, parse: Callable[[str], T], wanted: str, *, secret: bool = False) -> T:
        """What `parse` makes of the text; it raises ValueError for what isn't `wanted`."""
        text = self._raw[name]
        try:
            return parse(text)
        except Refused as error:
            self._problems.append(f"{PREFIX}_{name.upper()}: {error}")
            return parse(self._defaults[name])
        except ValueError:
            shown = "its value" if secret else repr(text)
            self._problems.append(f"{PREFIX}_{name.upper()}: {shown} is not {wanted}")
            return parse(self._defaults[name])

    def number(self, name: str, kind: type[T], low: float, high: float) -> T:
        def parse(text: str) -> T:
            value: Any = kind(text)  # type: ignore[call-arg]
            if not low <= value <= high:
                raise ValueError
            result: T = value
            return result

        return self.value(name, parse, f"a number from {low:g} to {high:g}")

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        def parse(text: str) -> str:
            return next(a for a in allowed if a.lower() == text.lower()) if _among(text, allowed) else _fail()

        return self.value(name, parse, "one of " + ", ".join(allowed))

    def matches(self, name: str, pattern: str, example: str, *, secret: bool = False) -> str:
        def parse(text: str) -> str:
            return text if re.fullmatch(pattern, text) else _fail()

        return self.value(name, parse, f"of the form {example}", secret=secret)

    def step_limits(self, name: str) -> dict[Step, float]:
        def parse(text: str) -> dict[Step, float]:
            pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
            limits = {Step(step.strip()): float(seconds) for step, _, seconds in pairs}
            return limits if all(1 <= seconds <= 604_800 for seconds in limits.values()) else _fail()

        return self.value(name, parse, f"of the form render_scene=600,plan=60 (1 to 604800 s), of {', '.join(Step)}")

    def store(self, name: str, default: Path | None, *, local: bool = False) -> str:
        pattern = r"(file:///\S.*)?" if local else r"(file:///\S.*|s3://[a-z0-9][a-z0-9.-]+(/.*)?)?"
        example = "file:///folder" if local else "file:///folder or s3://bucket/prefix"
        return self.matches(name, pattern, example) or (default.as_uri() if default else "")


def _merged(raws: Iterable[Any]) -> dict[str, str]:
    return {name: text for raw in raws for name, text in attrs.asdict(raw).items()}


def _among(text: str, allowed: tuple[str, ...]) -> bool:
    return text.lower() in {a.lower() for a in allowed}


def _fail() -> Any:
    raise ValueError


def with_secrets_from_files(
    environment: Mapping[str, str], secrets: Iterable[str], problems: list[str]
) -> dict[str, str]:
    """Our variables, and for each of `secrets` the text of the file that its variable with `_FILE` behind it names."""
    variables = {name: value for name, value in environment.items() if name.startswith(f"{PREFIX}_")}
    for secret in secrets:
        file = variables.pop(f"{PREFIX}_{secret}_FILE", None)
        if file is None:
            continue
        try:
            variables[f"{PREFIX}_{secret}"] = Path(file).read_text().strip()
        except OSError as error:
            problems.append(f"{PREFIX}_{secret}_FILE: {file} can't be read: {error.strerror}")
        except ValueError:
            problems.append(f"{PREFIX}_{secret}_FILE: {file!r} is no text file")
    return variables
