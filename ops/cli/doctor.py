"""`eventflow doctor`: check every part, and say how to repair it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated

import orjson
import typer
from attrs import asdict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eventflow.settings import Settings, SettingsError
from ops.cli.checks import machine, model_services
from ops.cli.checks.finding import Finding, State, fail, ok
from ops.cli.checks.video_service import video_service
from ops.cli.common import EXIT_FAILURE, REDIS_VARIABLES, impatient, say, settings_from
from ops.cli.reach import DataDir, log_environment
from ops.cli.tables import printable
from ops.local_stack.embedded import running_url

_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask each service with a model for one small answer, which it may charge.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Check every part and say how to repair it. Exit code 1 if something fails.

    Checks the log of the `eventflow up` on --data-dir, of the variables, or of the one that runs on this machine.
    """
    from eventflow.telemetry.logs import configure_logs

    configure_logs("ERROR", json=False)
    findings = asyncio.run(impatient(examine(log_environment(data_dir), ask=ask)))
    failed = any(finding.state is State.FAIL for finding in findings)
    if json:
        say(orjson.dumps({"ok": not failed, "findings": [asdict(finding) for finding in findings]}).decode())
    else:
        _print(findings)
    if failed:
        raise typer.Exit(EXIT_FAILURE)


async def examine(environment: Mapping[str, str], *, ask: bool = False) -> list[Finding]:
    """Return all findings; those of the machine alone if the settings are wrong."""
    findings = [machine.python_version()]
    try:
        settings = settings_from(environment)
    except SettingsError as error:
        remedy = "Correct or unset it; `eventflow settings` lists all settings."
        findings += [fail("settings", fault, remedy) for fault in error.faults]
        return findings + await machine.media(None)
    findings.append(ok("settings", f"valid; environment {settings.env.value}"))
    findings += await _service(settings, environment)
    findings += await machine.media(settings)
    findings.append(await machine.narration(settings.speech))
    findings += await video_service(settings.remote)
    findings += await model_services.examine(settings, ask=ask)
    return findings + await machine.disks(settings.data_dir, settings.scratch_dir)


async def _service(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    from ops.cli.checks import service
    from ops.compose import open_parts

    explicit = any(environment.get(name) for name in REDIS_VARIABLES)
    findings = [] if explicit else [await machine.embedded_server()]
    expected = explicit or running_url(settings.data_dir) is not None
    try:
        async with open_parts(settings, serves=False) as parts:
            findings += await service.log_server(parts, expected=expected)
            findings += [
                *await service.stores(parts),
                await service.players(parts.stores["delivery"]),
                await service.viewers(parts.stores["delivery"]),
                service.signing(parts),
            ]
    except (OSError, ValueError, SettingsError) as error:
        findings.append(fail("parts", str(error), "Correct the setting or the folder that the message names."))
    return findings


def _print(findings: Sequence[Finding]) -> None:
    if not sys.stdout.isatty():
        for finding in findings:
            remedy = f"  -> {finding.remedy}" if finding.remedy else ""
            say(printable(f"{finding.state.value:4}  {finding.part}: {finding.found}{remedy}"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "part", "found", "remedy"):
        table.add_column(heading, overflow="fold")
    for f in findings:
        state = Text(f.state.value, style=_STYLES[f.state])
        table.add_row(state, f.part, Text(printable(f.found)), Text(f.remedy))
    Console().print(table)
