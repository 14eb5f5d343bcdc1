"""The check of the text-to-video service, which orders nothing."""

from __future__ import annotations

from eventflow.settings import RemoteSettings
from ops.cli.checks.finding import Finding, State

_PART = "video service"


async def video_service(settings: RemoteSettings) -> list[Finding]:
    """Look at the service of the settings; nothing where there is none."""
    if not settings.url:
        return []
    from handlers.generation.text_to_video.service_probe import Weight, probe

    states = {Weight.FINE: State.OK, Weight.ODD: State.WARN, Weight.BROKEN: State.FAIL}
    return [
        Finding(part=_PART, state=states[notice.weight], found=notice.found, remedy=notice.remedy)
        for notice in await probe(settings)
    ]
