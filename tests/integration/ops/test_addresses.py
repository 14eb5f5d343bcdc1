"""Addresses that can't be bound are told before anything is started for them."""

from __future__ import annotations

import socket

import pytest

from ops.local_stack.addresses import check_bindable, not_bindable


def test_a_taken_port_is_told_and_a_free_one_left_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        taken.listen()
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(OSError, match="in use") as caught:
                check_bindable(host, port)
            assert f"{host}:{port} can't be bound" in not_bindable(host, port, caught.value)
    for _ in range(2):
        check_bindable("127.0.0.1", port)
    check_bindable("localhost", 0)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_an_address_that_is_not_this_machines_is_told(host: str) -> None:
    with pytest.raises(OSError, match=r"\S") as caught:
        check_bindable(host, 0)
    assert "--host" in not_bindable(host, 0, caught.value)
