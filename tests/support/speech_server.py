"""A service with OpenAI's speech endpoint that does what a test tells it, bad manners included."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from attrs import define, field, frozen

from handlers.generation.http_services.learned import forget

RATE = 24_000


def tone(seconds: float) -> bytes:
    """s16 mono samples: silence, a tone, silence."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    inside = (time_s > 0.1) & (time_s < seconds - 0.1)
    return bytes((np.sin(2 * np.pi * 300 * time_s) * 9000 * inside).astype("<i2").tobytes())


def wav(samples: bytes, *, streamed: bool = False) -> bytes:
    """A WAV file; `streamed`: with the lengths of one whose end isn't known yet, as services send it."""
    size = 0xFFFFFFFF if streamed else len(samples)
    whole = 0xFFFFFFFF if streamed else len(samples) + 36
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + shape + struct.pack("<4sI", b"data", size) + samples


@frozen
class Answer:
    """`hangs`: nothing more comes after the headers."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(factory=lambda: {"Content-Type": "audio/wav"})
    hangs: bool = False


GOOD = Answer(body=wav(tone(1.2)))


@define
class SpeechServer:
    """`answers` are given in turn, the last one again and again; `asked` are (headers, JSON body) of the requests.

    `decide` answers by the body instead. `lists` are answers to GET, by path.
    """

    url: str
    answers: list[Answer] = field(factory=lambda: [GOOD])
    asked: list[tuple[dict[str, str], Any]] = field(factory=list)
    ending: threading.Event = field(factory=threading.Event)

    decide: Callable[[Any], Answer] | None = None
    lists: dict[str, Any] = field(factory=dict)

    def next(self, body: Any) -> Answer:
        if self.decide is not None:
            return self.decide(body)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def speech_server() -> Iterator[SpeechServer]:
    """A server on a free port of the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append((dict(self.headers), body))
            answer = server.next(body) if self.path == "/v1/audio/speech" else Answer(404)
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            length = len(answer.body) + (1 if answer.hangs else 0)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if answer.hangs:
                server.ending.wait(60)
                return
            with suppress(OSError):  # it may be too much for the client
                self.wfile.write(answer.body)

        def do_GET(self) -> None:
            found = server.lists.get(self.path)
            self.send_response_only(404 if found is None else 200)
            body = json.dumps({"detail": "Not Found"} if found is None else found).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    forget()  # what was learned of another server on the same port
    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = SpeechServer(f"http://127.0.0.1:{listener.server_address[1]}/v1")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
