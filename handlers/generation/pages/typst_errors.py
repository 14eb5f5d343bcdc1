"""The errors of typst, and of what prepares its data, as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from handlers.generation.errors import DrawError

#: A panic of Rust comes from this module, as no `Exception` (https://pyo3.rs: PanicException).
_RUST = "pyo3_runtime"


@contextmanager
def typst_errors(drawn: str) -> Iterator[None]:
    """Around the drawing of `drawn`: whatever can't be laid out raises DrawError. OSErrors stay what they are."""
    try:
        yield
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise DrawError(f"{drawn} can't be drawn: {error}") from error
    except BaseException as error:
        if type(error).__module__ != _RUST:
            raise
        raise DrawError(f"{drawn} can't be drawn: typst has failed within ({error})") from error
