"""typst without access to anything but the given files, and its errors as ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import typst

from handlers.generation.errors import DrawError
from handlers.generation.pages.fonts import fonts

#: At this resolution one point is one pixel of the canvas.
POINTS_PER_INCH: Final = 72.0
#: Rust's panics come from this module and are no `Exception`s (https://pyo3.rs: PanicException).
_RUST: Final = "pyo3_runtime"

Source = TypeVar("Source", Path, bytes)


def sealed_compiler(main: Source, root: Path, inputs: Mapping[str, str]) -> typst.Compiler:
    """Make a compiler of `main` without packages or files outside of `root`. Raises PipelineUnavailable."""
    return typst.Compiler(
        input=main,
        root=root,
        font_paths=fonts(),
        sys_inputs=dict(inputs),
        package_path=root,
        package_cache_path=root,
    )


@contextmanager
def as_draw_errors(drawn: str) -> Iterator[None]:
    """Turn errors of typst, and of the preparation of its data, into DrawError. `drawn` is for messages.

    OSErrors stay as they are.
    """
    try:
        yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise DrawError(f"{drawn} can't be drawn: {error}") from error
    except BaseException as error:
        if type(error).__module__ != _RUST:
            raise
        raise DrawError(f"{drawn} can't be drawn: typst has crashed ({error})") from error
