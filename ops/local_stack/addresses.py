"""Whether an address can be bound, asked before anything is started for it."""

from __future__ import annotations

import socket


def check_bindable(host: str, port: int) -> None:
    """Raises OSError if the address can't be bound; `port` 0 is a free one."""
    ip = "127.0.0.1" if host == "localhost" else host  # as the web app takes it
    family, kind, *_, address = socket.getaddrinfo(ip, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def not_bindable(host: str, port: int, error: OSError) -> str:
    """Say why, and what to do."""
    reason = f"{host}:{port} can't be bound: {error.strerror}"
    return f"{reason}. Choose another --port (0 picks a free one) or --host."
