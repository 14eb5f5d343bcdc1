"""The load of `ops.bench.viewers`: viewers of playlists, their requests, and the latencies of the answers."""

from __future__ import annotations

import asyncio
from statistics import quantiles
from time import perf_counter

from attrs import frozen

from ops.bench.load import Connection, get


@frozen
class Load:
    """Seconds between two requests of a viewer for its playlist, and seconds of a round.

    Requests before the round aren't counted: all videos have grown since the last round.
    """

    pause_s: float
    seconds: float

    @property
    def coming_s(self) -> float:
        """Seconds before the round in which all viewers make their first request."""
        return self.pause_s + 1.0


@frozen
class Round:
    """The answers of one round; latencies in seconds."""

    latencies: list[float]
    seconds: float

    @property
    def per_s(self) -> float:
        """Answered requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def p99_ms(self) -> float:
        """The 99th percentile of the latencies, in milliseconds."""
        return quantiles(self.latencies, n=100)[98] * 1000


class _Viewer(Connection):
    """Requests a playlist every `pause_s`, and then its last segment. `counted`: begin and end of the round, by
    `perf_counter`."""

    def __init__(self, path: str, pause_s: float, counted: tuple[float, float], latencies: list[float]) -> None:
        super().__init__()
        self._request, self._folder = get(path), path.partition("?")[0].rpartition("/")[0].encode() + b"/"
        self._pause_s, self._latencies = pause_s, latencies
        self._counted, self._until = counted
        self._known = b""
        self._of_segment = False
        self._due = self._asked = 0.0
        self.wrong = ""

    def look(self) -> None:
        """Request the playlist, or close the connection at the end of the round."""
        now = perf_counter()
        if now >= self._until:
            self.close()
        else:
            self._due, self._of_segment = max(now, self._due) + self._pause_s, False
            self._send(self._request)

    def _send(self, request: bytes) -> None:
        self._asked = perf_counter()
        self.ask(request)

    def answered(self, head: bytes, body: bytes) -> None:
        if self._asked >= self._counted:
            self._latencies.append(perf_counter() - self._asked)
        if self._of_segment:
            if not head.startswith(b"HTTP/1.1 307"):
                self._fail(head)
            elif self._pause_s:
                asyncio.get_running_loop().call_later(max(0.0, self._due - perf_counter()), self.look)
            else:
                self.look()
        elif not head.startswith(b"HTTP/1.1 200") or not body.startswith(self._known) or b"ENDLIST" in body:
            self._fail(head)
        else:
            self._known, self._of_segment = body, True
            line = body[body.rindex(b"\n", 0, -1) + 1 : -1]
            self._send(b"GET " + self._folder + line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def _fail(self, head: bytes) -> None:
        self.wrong = head.split(b"\r\n")[0].decode()
        self.close()


async def watch(port: int, watched: list[str], load: Load) -> Round:
    """Run a round of all viewers, whose starts are spread over a pause. Raises RuntimeError for a wrong answer."""
    latencies: list[float] = []
    counted = perf_counter() + load.coming_s
    span = (counted, counted + load.seconds)
    viewers = [await _Viewer(path, load.pause_s, span, latencies).open(port) for path in watched]
    for place, viewer in enumerate(viewers):
        asyncio.get_running_loop().call_later(place * load.pause_s / len(viewers), viewer.look)
    await asyncio.gather(*(viewer.ended for viewer in viewers))
    if wrong := [viewer.wrong for viewer in viewers if viewer.wrong]:
        raise RuntimeError(f"{len(wrong)} viewers got a wrong answer, one of them: {wrong[0]}")
    return Round(latencies, perf_counter() - counted)
