"""The codes of errors that the source has, found in its syntax trees: a code that is new can't be overlooked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("eventflow", "handlers", "web", "ops")
#: Calls (and methods) that take a place, a code and a reason.
_FAULTS = ("Fault", "add", "fail_at")


def problems() -> frozenset[tuple[int, str]]:
    """Return (status, code) of every problem that the API answers with."""
    return frozenset({*_of_the_core(), *_raised()})


def fault_codes() -> frozenset[str]:
    """Return the codes of faults in requests."""
    placed = [_literal(call.args[1]) for call in _calls(*_FAULTS) if len(call.args) == 3]
    read = [_literal(call.args[0]) for call in _calls("fail") if len(call.args) == 2]
    return frozenset(code for code in (*placed, *read) if code is not None)


def warning_codes() -> frozenset[str]:
    """Return the codes of warnings in the status of a job."""
    warned = {_literal(call.args[0]) for call in _calls("Warned") if call.args}
    recorded = {
        _literal(word.value) for call in _calls("RecordWarning") for word in call.keywords if word.arg == "code"
    }
    return frozenset(code for code in warned | recorded if code is not None)


def failure_codes() -> dict[str, str]:
    """Return code -> docstring of the exception classes that a step may fail with."""
    return {
        str(statement.value.value): ast.get_docstring(node) or ""
        for node in _nodes()
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Constant)
        if "code" in _targets(statement) and isinstance(statement.value.value, str)
    }


def _targets(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _of_the_core() -> Iterator[tuple[int, str]]:
    """The web app's own tables, and the two codes of a request that can't be met. The one place that knows them."""
    from web.http.errors import _HTTP_CODES, HTTP_STATUS

    yield from HTTP_STATUS.values()
    yield from _HTTP_CODES.items()
    yield from ((422, "invalid_request"), (422, "not_available"))


def _raised() -> Iterator[tuple[int, str]]:
    for call in _calls("Problem"):
        if len(call.args) >= 2 and (code := _literal(call.args[1])) is not None:
            status = call.args[0]
            if isinstance(status, ast.Constant) and isinstance(status.value, int):
                yield status.value, code


def _literal(expression: ast.expr) -> str | None:
    is_text = isinstance(expression, ast.Constant) and isinstance(expression.value, str)
    return expression.value if is_text else None  # type: ignore[attr-defined]


def _calls(*names: str) -> Iterator[ast.Call]:
    for node in _nodes():
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in names:
                yield node


@cache
def _nodes() -> tuple[ast.AST, ...]:
    """Calls and classes of the whole source but this package."""
    return tuple(
        node
        for package in _PACKAGES
        for path in sorted((_ROOT / package).rglob("*.py"))
        if path.parent != Path(__file__).parent
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call | ast.ClassDef)
    )
