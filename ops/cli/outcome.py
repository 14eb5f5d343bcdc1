"""How a job ended, in sentences made from its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ops.cli.tables import printable


def warnings_of(status: Mapping[str, Any]) -> list[str]:
    """Return a line for each of the job's warnings."""
    lines = []
    for warning in status["warnings"]:
        scene = "" if warning["scene"] is None else f"scene {warning['scene'] + 1}: "
        lines.append(printable(f"{scene}{warning['message']}"))
    return lines


def outcome(status: Mapping[str, Any]) -> str:
    """Return a sentence on a job that isn't completed: its status, or the error of the step that failed."""
    error = status.get("error")
    if not error:
        return f"The job is {status['status']}."
    scene = "" if error["scene"] is None else f" of scene {error['scene'] + 1}"
    tries = f" after {error['attempts']} tries" if error["attempts"] > 1 else ""
    return printable(f"The job failed in {error['stage']}{scene}{tries}: {error['message']} ({error['code']})")
