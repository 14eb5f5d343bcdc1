"""The sockets of an S3 client, which end in time even if a server no longer reads."""

import asyncio
import socket
import weakref
from datetime import timedelta

from aiohttp.connector import AddrInfoType

#: The event loop sees a socket that was shut down in its next turn, and closes it in the one after.
LOOP_TURNS = 10


class Sockets:
    """Makes the sockets of one client, as aiohttp's `socket_factory`, and ends each of them.

    A request that is cancelled half sent leaves a socket that waits for its peer to take the rest, with up to one part
    in its buffer; a hung server never takes it. So the kernel ends a connection whose bytes aren't acknowledged within
    `unread` (TCP_USER_TIMEOUT, RFC 5482, where the system has it), and `close` doesn't wait for that.
    """

    def __init__(self, unread: timedelta) -> None:
        self._unread_ms = max(1, int(unread.total_seconds() * 1000))
        self._made: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(self, address: AddrInfoType) -> socket.socket:
        """Make a socket for one address of getaddrinfo."""
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._unread_ms)
        self._made.add(made)
        return made

    async def close(self) -> None:
        """End the sockets that are still open. The client must be closed: no request waits for an answer."""
        left = [each for each in self._made if each.fileno() != -1]
        for each in left:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the peer was faster
        for _ in range(LOOP_TURNS):
            if all(each.fileno() == -1 for each in left):
                return
            await asyncio.sleep(0)
